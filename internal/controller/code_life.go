package controller

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// expireCode takes a code that has run out from its Secret. It needs neither the service nor leave from anybody, so it
// comes before everything that may stop the pass.
func (r *UserReconciler) expireCode(ctx context.Context, s *scope) error {
	code := s.user.Status.Code
	if code == nil || !live(code) || code.ExpiresAt == nil {
		return nil
	}
	if s.now.Before(code.ExpiresAt.Time) {
		s.wakeAt(code.ExpiresAt.Time)
		return nil
	}
	return r.endCode(ctx, s, v1alpha1.CodeExpired)
}

// endCode takes a dead code from its Secret and says why it is dead.
func (r *UserReconciler) endCode(ctx context.Context, s *scope, phase v1alpha1.CodePhase) error {
	if err := r.refreshSecret(ctx, s, false); err != nil {
		return err
	}
	s.user.Status.Code.Phase = phase
	s.markCode()
	return nil
}

// followCode moves a live code on when it was used, ran out or was deleted, and keeps the Secret's record true.
func (r *UserReconciler) followCode(ctx context.Context, s *scope) error {
	code := s.user.Status.Code
	if code == nil || code.SecretRef == nil || s.stored {
		return nil
	}
	exists, err := r.secretExists(ctx, s)
	if err != nil {
		return err
	}
	if !exists {
		code.SecretRef = nil // and never made again
		if live(code) {
			code.Phase = v1alpha1.CodeLost
			s.did("CodeLost", "Observe", "the Secret with the code was deleted")
		}
		return nil
	}
	before := code.Phase
	if live(code) {
		switch {
		case used(code, s.user.Status.State):
			code.Phase = v1alpha1.CodeUsed // none is issued for an account that is activated already
		case s.user.Status.State == v1alpha1.StateExpired && s.seenSince(code):
			code.Phase = v1alpha1.CodeExpired
		}
	}
	if code.Phase != before || s.user.Status.State != s.base.Status.State {
		return r.refreshSecret(ctx, s, live(code))
	}
	return nil
}

// seenSince tells whether the picture is newer than the code. An older one shows what was before it: an expired account
// that has just got a new code is still expired there.
func (s *scope) seenSince(code *v1alpha1.CodeStatus) bool {
	// The time of issue has whole seconds.
	return code.IssuedAt == nil || s.conn.inventory.Begun().After(code.IssuedAt.Add(time.Second))
}

// live tells whether a code can be used as far as is known.
func live(code *v1alpha1.CodeStatus) bool {
	return code.Phase == v1alpha1.CodeActive || code.Phase == v1alpha1.CodeInactivePhase
}

// used tells whether the account's state shows that an enrolment code was used.
func used(code *v1alpha1.CodeStatus, state v1alpha1.AccountState) bool {
	return code.Purpose == v1alpha1.PurposeEnrollment && (state == v1alpha1.StateActivated || state == v1alpha1.StatePinBlocked)
}

// refreshSecret writes the Secret as it is now: with the code while it lives, without it afterwards.
func (r *UserReconciler) refreshSecret(ctx context.Context, s *scope, live bool) error {
	content, err := r.readCodeSecret(ctx, s)
	if err != nil || !content.found {
		return err
	}
	content.state = s.user.Status.State
	if !live {
		content = content.withoutCode()
	}
	if err := r.applySecret(ctx, s, content, applyForReal); err != nil {
		return fmt.Errorf("write the code Secret: %w", err)
	}
	return nil
}

func (c codeContent) withoutCode() codeContent {
	empty := codeContent{}
	c.code, c.link = empty.code, empty.link
	return c
}

// secretExists looks for our code Secret in the cache, and live before it says no: the cache may not have it yet.
func (r *UserReconciler) secretExists(ctx context.Context, s *scope) (bool, error) {
	key := client.ObjectKey{Namespace: s.user.Namespace, Name: s.user.CodeSecretName()}
	secret := secretMetadata()
	err := r.client.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		err = r.live.Get(ctx, key, secret)
	}
	return err == nil && metav1.IsControlledBy(secret, s.user), client.IgnoreNotFound(err)
}
