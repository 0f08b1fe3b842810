package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
)

// takeAnswer records a code that reached its Secret and not status, before anything may stop the pass. Else the end of the code
// before it would be taken for its own, and its own would be missed.
func (r *UserReconciler) takeAnswer(ctx context.Context, s *scope) error {
	intent := s.pendingCode()
	if intent == nil {
		return nil
	}
	_, err := r.answered(ctx, s, intent)
	if _, foreign := isOutcome(err); foreign {
		return nil // endPending says so
	}
	return err
}

// answered records the answer to a request that is found in the Secret, and tells whether there is one.
func (r *UserReconciler) answered(ctx context.Context, s *scope, intent *v1alpha1.CodeIntent) (bool, error) {
	id := s.accountID()
	if id == "" || !toSecret(intent.Delivery) {
		return false, nil
	}
	stored, err := r.readCodeSecret(ctx, s)
	if err != nil || !stored.answers(intent, id) {
		return false, err
	}
	s.issued(intent, stored.issuedAt, stored.expiresAt)
	return true, nil
}

// expireCode takes a code that has run out from its Secret. It needs neither the service nor leave from anybody, so it
// comes before everything that may stop the pass.
func (r *UserReconciler) expireCode(ctx context.Context, s *scope) error {
	code := s.user.Status.Code
	if code == nil && s.user.Status.Creating != nil {
		return r.expireUnrecorded(ctx, s)
	}
	if code == nil || !live(code) || !s.overdue(code) {
		return nil
	}
	return r.endCode(ctx, s, v1alpha1.CodeExpired)
}

// expireUnrecorded does the same with the code of a new account that reached its Secret and not status. Claim records it, but
// a suspension or a policy may stop every pass before that.
func (r *UserReconciler) expireUnrecorded(ctx context.Context, s *scope) error {
	content, err := r.readCodeSecret(ctx, s)
	if _, foreign := isOutcome(err); foreign {
		return nil // it is said when the code is asked for
	}
	if err != nil || content.code.IsZero() && content.link.IsZero() {
		return err
	}
	if s.now.Before(content.expiresAt) {
		s.wakeAt(content.expiresAt)
		return nil
	}
	if err := r.applySecret(ctx, s, content.withoutCode(), applyForReal); err != nil {
		return fmt.Errorf("write %w: %w", errCodeSecret, err)
	}
	return nil
}

// overdue tells whether a code has run out by its time.
func (s *scope) overdue(code *v1alpha1.CodeStatus) bool {
	return code.ExpiresAt != nil && !s.now.Before(code.ExpiresAt.Time)
}

// followCode moves a live code on when it was used, ran out or was deleted, and keeps the Secret's record true. It comes
// before the steps that may stop a pass, for a code that was used must not stay; and once more after those that may change
// the account.
func (r *UserReconciler) followCode(ctx context.Context, s *scope) error {
	code := s.user.Status.Code
	if code == nil || s.stored && s.user.Status.State == s.secretState {
		return nil
	}
	s.look()
	if gone, err := r.secretGone(ctx, s); gone || err != nil {
		return err
	}
	if live(code) {
		gone, err := r.accountGone(ctx, s)
		if err != nil {
			return err
		}
		if gone {
			return r.endCode(ctx, s, v1alpha1.CodeExpired)
		}
		end, err := r.endOf(ctx, s, code)
		if err != nil {
			return err
		}
		if end != "" {
			return r.endCode(ctx, s, end)
		}
	} else if code.Phase == v1alpha1.CodeExpired && showsUse(code.Purpose, s.user.Status.State) {
		code.Phase = v1alpha1.CodeUsed // in time, and it ran out before the picture showed that
	}
	if s.user.Status.State == s.secretState {
		return nil
	}
	return r.refreshSecret(ctx, s, live(code))
}

// look notes what the picture shows of the user's account, for steps that come before claim.
func (s *scope) look() {
	if s.account != nil {
		return
	}
	account, known := s.conn.inventory.ByID(s.accountID())
	if known && inventory.LoginKey(account.Login) == inventory.LoginKey(s.user.Spec.Login) && !s.conn.inventory.Missing(account.ID) {
		s.show(account)
	}
}

// accountGone tells whether the account is gone for good, and its code with it. Claim would find out, but a policy or a rival
// may stop the pass before that.
func (r *UserReconciler) accountGone(ctx context.Context, s *scope) (bool, error) {
	id := s.accountID()
	if s.account != nil || id == "" || s.conn.view().readiness != readinessReady {
		return false, nil
	}
	if _, known := s.conn.inventory.ByID(id); known && !s.conn.inventory.Missing(id) {
		return false, nil
	}
	gone, wait, err := s.conn.inventory.Gone(ctx, id)
	if wait > 0 {
		s.wakeAt(s.now.Add(wait))
	}
	return gone, err
}

// secretGone notes that the code's Secret was deleted. It is never made again.
func (r *UserReconciler) secretGone(ctx context.Context, s *scope) (bool, error) {
	code := s.user.Status.Code
	if code.SecretRef == nil {
		return false, nil
	}
	exists, err := r.secretExists(ctx, s)
	if err != nil || exists {
		return false, err
	}
	code.SecretRef = nil
	if live(code) {
		code.Phase = v1alpha1.CodeLost
		s.warn("CodeLost", "Observe", "the Secret with the code was deleted")
	}
	return true, nil
}

// endOf tells what became of a live code; empty while it lives.
func (r *UserReconciler) endOf(ctx context.Context, s *scope, code *v1alpha1.CodeStatus) (v1alpha1.CodePhase, error) {
	state := s.user.Status.State
	switch {
	case showsUse(code.Purpose, state):
		return v1alpha1.CodeUsed, nil
	case code.Purpose == v1alpha1.PurposeEnrollment && state == v1alpha1.StateExpired && s.stateShown && s.seenSince(code):
		return v1alpha1.CodeExpired, nil
	case addsDevice(code.Purpose):
		return r.usedByDevice(ctx, s, code)
	}
	return "", nil
}

// showsUse tells whether the account's state shows that a code was used: none is issued for an account in that state.
func showsUse(purpose v1alpha1.CodePurpose, state v1alpha1.AccountState) bool {
	switch purpose {
	case v1alpha1.PurposeEnrollment:
		return state == v1alpha1.StateActivated || state == v1alpha1.StatePinBlocked
	case v1alpha1.PurposeUnlock:
		return state == v1alpha1.StateActivated
	}
	return false
}

// seenSince tells whether the picture is newer than the code. An older one shows what was before it: an expired account
// that has just got a new code is still expired there.
func (s *scope) seenSince(code *v1alpha1.CodeStatus) bool {
	// The time of issue has whole seconds.
	return code.IssuedAt == nil || s.conn.inventory.Begun().After(code.IssuedAt.Add(time.Second))
}

// live tells whether a code can be used as far as is known.
func live(code *v1alpha1.CodeStatus) bool {
	return slices.Contains([]v1alpha1.CodePhase{v1alpha1.CodeActive, v1alpha1.CodeInactivePhase}, code.Phase)
}

// planCode asks for a pass when a live code runs out and when its use is looked for next, whatever this pass came to: also
// the one that has issued it.
func (r *UserReconciler) planCode(s *scope) {
	code := s.user.Status.Code
	if code == nil || !live(code) {
		return
	}
	switch {
	case s.overdue(code):
		s.wakeAt(s.now.Add(asideAgain)) // it was tried
	case code.ExpiresAt != nil:
		s.wakeAt(code.ExpiresAt.Time)
	}
	if addsDevice(code.Purpose) && code.DeviceIDs != nil && s.connObject != nil && !s.user.Spec.Suspend {
		look := r.deviceReads.next(s.user.UID, s.now, interval(s.connObject))
		if !look.After(s.now) {
			look = s.now.Add(interval(s.connObject)) // something kept this pass from it, and will keep the next one too
		}
		s.wakeAt(look)
	}
}

// supersede ends the code before, which a newer one has cancelled or may have.
func (r *UserReconciler) supersede(ctx context.Context, s *scope) error {
	if code := s.user.Status.Code; code == nil || !live(code) {
		return nil
	}
	return r.endCode(ctx, s, v1alpha1.CodeSuperseded)
}

// endCode takes a dead code from its Secret and says why it is dead.
func (r *UserReconciler) endCode(ctx context.Context, s *scope, phase v1alpha1.CodePhase) error {
	err := r.refreshSecret(ctx, s, false)
	if _, refused := isOutcome(err); refused {
		// Somebody made the Secret immutable, or another: the dead code can't be taken out, and no pass would ever get further.
		s.warn("CodeNotRemoved", "Observe", "a dead code can't be taken out of the Secret "+s.user.CodeSecretName()+": it is immutable or no longer the operator's; delete it")
		s.user.Status.Code.SecretRef = nil
	} else if err != nil {
		return err
	}
	s.user.Status.Code.Phase = phase
	return nil
}

// refreshSecret writes the Secret as it is now: with the code while it lives, without it afterwards.
func (r *UserReconciler) refreshSecret(ctx context.Context, s *scope, live bool) error {
	if s.user.Status.Code.SecretRef == nil {
		return nil
	}
	content, err := r.readCodeSecret(ctx, s)
	if err != nil || !content.found {
		return err
	}
	if content.request != s.user.Status.Code.Request && !(content.code.IsZero() && content.link.IsZero()) {
		// The code of a later request, most likely, and this the pass of an old copy: a wiped code would be known to nobody.
		if err := r.newest(ctx, s); err != nil {
			return err
		}
	}
	content.state = s.user.Status.State
	if !live {
		content = content.withoutCode()
	}
	if err := r.applySecret(ctx, s, content, applyForReal); err != nil {
		return fmt.Errorf("write %w: %w", errCodeSecret, err)
	}
	s.secretState = content.state
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
	err := r.secrets.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		err = r.live.Get(ctx, key, secret)
	}
	return err == nil && metav1.IsControlledBy(secret, s.user), client.IgnoreNotFound(err)
}
