package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// activateCode switches an inactive code on when the manifest says so: once, for the phase moves on with it. A pass that is
// stopped after the call repeats it, and is answered the same.
func (r *UserReconciler) activateCode(ctx context.Context, s *scope) error {
	code := s.user.Status.Code
	if code == nil || code.Phase != v1alpha1.CodeInactivePhase || s.user.Spec.Code.Activation != v1alpha1.ActivationNow {
		return nil
	}
	s.open = true
	if err := r.freshen(ctx, s); err != nil {
		return err
	}
	if rules.Unfit(code.Purpose, *s.account) != "" {
		return nil // a blocked account's code waits; one that was used is seen to by observe
	}
	content, err := r.readCodeSecret(ctx, s)
	if err != nil || !content.found {
		return err
	}
	activated, err := s.client.ActivateCode(ctx, s.account.ID)
	if err != nil {
		return r.deliveryFailed(ctx, s, "switch the code on", err)
	}
	ctx, cancel := unrepeatable(ctx)
	defer cancel()
	now, expiresAt := r.codeTimes(s, v1alpha1.CodeShort, activated.ExpiresAt)
	content.code, content.expiresAt, content.state = activated.Code, expiresAt, s.user.Status.State
	if err := r.applySecret(ctx, s, content, applyForReal); err != nil {
		return fmt.Errorf("store the code that was switched on: %w", err)
	}
	s.stored, s.secretState = true, content.state
	code.Phase, code.ActivatedAt, code.ExpiresAt = v1alpha1.CodeActive, &metav1.Time{Time: now}, &metav1.Time{Time: expiresAt}
	s.did("CodeActivated", "ActivateCode", "switched the code on")
	return nil
}

// mailCode has the service mail a link whose delivery asks for it. A pass that is stopped after the call repeats it: the
// person gets the same link twice.
func (r *UserReconciler) mailCode(ctx context.Context, s *scope) error {
	code := s.user.Status.Code
	if code == nil || code.Phase != v1alpha1.CodeActive || code.Pending != nil || !byEmail(code.Delivery) || code.EmailedAt != nil {
		return nil
	}
	s.open = true
	if err := r.freshen(ctx, s); err != nil {
		return err
	}
	if rules.Unfit(code.Purpose, *s.account) != "" {
		return nil // a blocked person's link waits; one that was used is seen to by observe
	}
	if slices.Contains(rules.Compare(s.user, *s.account).Names(), "email") {
		s.mailWaits = true // it would go to an address that the manifest does not state
		return nil
	}
	if err := r.newest(ctx, s); err != nil {
		return err
	}
	if err := s.client.SendCode(ctx, s.account.ID); err != nil {
		if !asClientError(err).Unclear {
			return r.deliveryFailed(ctx, s, "mail the link", err)
		}
		if code.EmailTries++; code.EmailTries < mailTries {
			return fmt.Errorf("mail the link: %w", err)
		}
		code.EmailedAt = &metav1.Time{Time: r.now().Truncate(time.Second)}
		s.warn("CodeMailUnclear", "SendCode", fmt.Sprintf("the service was asked %d times to mail the link and never said whether it did; ask the person, and issue another code if it has not come", mailTries))
		return nil
	}
	code.EmailedAt = &metav1.Time{Time: r.now().Truncate(time.Second)}
	s.did("CodeMailed", "SendCode", "had the link mailed to the person")
	return nil
}

// mailTries is how often the mailing of one link is tried without a clear answer: each may have reached the person.
const mailTries = 5

// newest makes sure that the pass works on the user as it is now. A cache that does not show yet what the pass before wrote
// would have the person mailed once more, and the lost lock of the status would come too late.
func (r *UserReconciler) newest(ctx context.Context, s *scope) error {
	key := client.ObjectKeyFromObject(s.user)
	var now v1alpha1.MFAUser
	if err := r.live.Get(ctx, key, &now); err != nil {
		return fmt.Errorf("look whether the user is still the same: %w", err)
	}
	if now.ResourceVersion != s.base.ResourceVersion {
		return apierrors.NewConflict(v1alpha1.SchemeGroupVersion.WithResource("mfausers").GroupResource(), key.Name, errors.New("it has changed since the pass began"))
	}
	return nil
}

// deliveryFailed ends a code that the service no longer has: it was used, or somebody has issued another in the console.
func (r *UserReconciler) deliveryFailed(ctx context.Context, s *scope, what string, err error) error {
	switch mfaclient.KindOf(err) {
	case mfaclient.KindNotFound:
		return r.whenGone(s, err)
	case mfaclient.KindConflict:
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
	s.fresh = false
	if err := r.freshen(ctx, s); err != nil {
		return err
	}
	end, err := r.endOf(ctx, s, s.user.Status.Code)
	if err != nil {
		return err
	}
	if end == "" {
		end = v1alpha1.CodeSuperseded
	}
	return r.endCode(ctx, s, end)
}
