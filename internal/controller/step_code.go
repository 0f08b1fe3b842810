package controller

import (
	"context"
	"slices"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// syncCode hands out the codes that are asked for: it ends what was begun, issues what is new, and sees to it that the code
// reaches the person.
func (r *UserReconciler) syncCode(ctx context.Context, s *scope) error {
	if s.observeOnly() {
		if rules.StatedRequest(s.user) != nil {
			s.pending = append(s.pending, "code")
		}
		return nil
	}
	err := run(ctx, s, []step{r.endPending, r.issueStated, r.renewCode, r.activateCode, r.mailCode})
	if request := rules.RequestByHand(s.user); codeWaits(err) && request != nil && request.Purpose == rules.PurposePINErrors {
		if err := r.take(ctx, s, request); err != nil { // it needs nothing of what the code waits for
			return err
		}
	}
	return err
}

// codeWaits tells whether a pass was stopped by what only the issue of a code has to wait for.
func codeWaits(err error) bool {
	out, ok := isOutcome(err)
	return ok && slices.Contains([]string{v1alpha1.ReasonCodeLimitReached, v1alpha1.ReasonSecretConflict, v1alpha1.ReasonRemovalHeld}, out.reason)
}

// endPending answers the request that an earlier pass has begun, unless the Secret shows that it was answered and only not
// recorded. Asking once more cancels a code that nobody saw.
func (r *UserReconciler) endPending(ctx context.Context, s *scope) error {
	intent := s.pendingCode()
	if intent == nil {
		return nil
	}
	s.open = true
	if answered, err := r.answered(ctx, s, intent); answered || err != nil {
		return err
	}
	if intent.Sent {
		if err := r.supersede(ctx, s); err != nil {
			return err
		}
	}
	if err := r.secretMended(ctx, s, intent.Delivery); err != nil {
		return err
	}
	if err := r.freshen(ctx, s); err != nil {
		return err
	}
	if intent.Purpose == v1alpha1.PurposeEnrollment && s.account.State == mfaclient.StateActivated {
		if err := r.supersede(ctx, s); err != nil {
			return err
		}
		s.usedUnseen(intent)
		return nil
	}
	request := &rules.CodeRequest{Name: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Delivery: intent.Delivery}
	// A new account is ours to block before its first code is handed out; else a request that no longer fits is over.
	if why := rules.Unfit(intent.Purpose, *s.account); why != "" && intent.Request != rules.RequestCreate {
		s.refuse(request, why)
		return nil
	}
	// All is looked at anew, for much may have changed since the first try: a device that was enrolled meanwhile does not show
	// that the code was used which nobody has got yet.
	return r.lookAndIssue(ctx, s, request)
}

// issueStated issues what manifest and annotation ask for: one request of each at most. Each is dealt with once, whatever
// comes of it.
func (r *UserReconciler) issueStated(ctx context.Context, s *scope) error {
	for range 2 {
		request := rules.StatedRequest(s.user)
		if request == nil {
			return nil
		}
		if err := r.take(ctx, s, request); err != nil {
			return err
		}
	}
	return nil
}

// renewCode replaces an enrolment code that ran out unused, where the manifest says so.
func (r *UserReconciler) renewCode(ctx context.Context, s *scope) error {
	request := rules.RenewalRequest(s.user)
	if request == nil || rules.Unfit(request.Purpose, *s.account) != "" {
		return nil
	}
	if err := r.freshen(ctx, s); err != nil {
		return err
	}
	if rules.Unfit(request.Purpose, *s.account) != "" {
		return nil // nobody has asked, so nobody is refused
	}
	return r.take(ctx, s, request)
}

// take deals with a new request: refuses what does not fit after one fresh look and before any write, and issues the rest.
func (r *UserReconciler) take(ctx context.Context, s *scope, request *rules.CodeRequest) error {
	s.open = true
	if request.Malformed != "" {
		s.refuse(request, request.Malformed)
		return nil
	}
	if request.Purpose != rules.PurposePINErrors { // which writes no Secret
		if err := r.secretMended(ctx, s, request.Delivery); err != nil {
			return err
		}
	}
	if err := r.freshen(ctx, s); err != nil {
		return err
	}
	if why := rules.Unfit(request.Purpose, *s.account); why != "" {
		s.refuse(request, why)
		return nil
	}
	if request.Purpose == rules.PurposePINErrors {
		return r.resetPINErrors(ctx, s, request)
	}
	return r.lookAndIssue(ctx, s, request)
}

// lookAndIssue issues a code for an account that it fits, once all allows it.
func (r *UserReconciler) lookAndIssue(ctx context.Context, s *scope, request *rules.CodeRequest) error {
	if err := r.readyToIssue(ctx, s, request); err != nil {
		return err
	}
	devices, err := r.devicesBefore(ctx, s, request.Purpose)
	if err != nil {
		return err
	}
	if err := r.allowRestore(ctx, s, request.Purpose); err != nil {
		return err
	}
	return r.issue(ctx, s, request, devices)
}

// freshen reads the account anew, once a pass, and makes sure once more that it is the user's and may be touched: what
// follows gives access, and the listing may be an interval old.
func (r *UserReconciler) freshen(ctx context.Context, s *scope) error {
	if s.fresh {
		return nil
	}
	account, err := s.client.GetAccount(ctx, s.account.ID)
	if err != nil {
		return r.whenGone(s, err)
	}
	s.conn.inventory.Saw(account) // syncAccount has gone by what the picture was: another pass follows if somebody edited it
	s.fresh = true
	return r.accept(s, account)
}

// readyToIssue checks all that can be checked before a code is asked for.
func (r *UserReconciler) readyToIssue(ctx context.Context, s *scope, request *rules.CodeRequest) error {
	if wait := codeLimitWait(&s.user.Status, s.now); wait > 0 {
		return waitingFor(v1alpha1.ReasonCodeLimitReached, messageCodeLimit, wait)
	}
	if !toSecret(request.Delivery) {
		return nil
	}
	return r.checkSecret(ctx, s)
}

// secretMended looks first whether the Secret can be written by now, where that is what stopped the pass before: what
// is tried again every half minute must not cost the service a call.
func (r *UserReconciler) secretMended(ctx context.Context, s *scope, delivery v1alpha1.CodeDelivery) error {
	if readyOf(s.base.Status.Conditions).Reason != v1alpha1.ReasonSecretConflict || !toSecret(delivery) {
		return nil
	}
	return r.checkSecret(ctx, s)
}

// codesPerHour is how many codes an account may be given within an hour.
const codesPerHour = 5

const messageCodeLimit = "five codes were asked for within the hour; the next is issued when the oldest of them is an hour old"

// codeLimitWait returns how long the next code has to wait.
func codeLimitWait(status *v1alpha1.MFAUserStatus, now time.Time) time.Duration {
	recent := recentCodes(status.CodeTimes, now)
	if len(recent) < codesPerHour {
		return 0
	}
	return recent[len(recent)-codesPerHour].Add(time.Hour).Sub(now)
}

// allowRestore holds a Restore code against what protects accounts: its use takes all other devices away.
func (r *UserReconciler) allowRestore(ctx context.Context, s *scope, purpose v1alpha1.CodePurpose) error {
	if purpose != v1alpha1.PurposeRestore {
		return nil
	}
	done, err := r.mayTakeFrom(ctx, s, *s.account)
	if err != nil {
		return err
	}
	defer done()
	return r.recordRemoval(ctx, s, *s.account, v1alpha1.RemovalRestore, false)
}

// resetPINErrors has the service forget wrong PINs. It does so once until the next good authentication.
func (r *UserReconciler) resetPINErrors(ctx context.Context, s *scope, request *rules.CodeRequest) error {
	err := s.client.ResetPINErrors(ctx, s.account.ID)
	switch kind := mfaclient.KindOf(err); {
	case kind == mfaclient.KindConflict && s.account.State == mfaclient.StateActivated:
		// There is nothing to forget: a pass that was stopped after its call comes here.
	case kind == mfaclient.KindConflict:
		s.refuse(request, "the service resets PIN errors only once until the next good authentication; issue an Unlock code instead")
		return nil
	case kind == mfaclient.KindInvalid, kind == mfaclient.KindDenied:
		s.refuse(request, "the service refuses to reset the PIN errors of this account")
		return nil
	case kind == mfaclient.KindNotFound:
		return r.whenGone(s, err)
	case err != nil:
		return err
	}
	rules.NoteRequest(s.user, request)
	s.user.Status.CodeRefusal = nil
	s.did("PINErrorsReset", "ResetPINErrors", "the service has forgotten wrong PINs")
	// The state in the picture is the one before; whether the account is unlocked is seen at once.
	s.fresh = false
	return r.freshen(ctx, s)
}
