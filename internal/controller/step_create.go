package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// createAccount makes the account. The order is the promise: everything that can refuse the code comes first, then the
// intent, then the call, and nothing between the call and its Secret.
func (r *UserReconciler) createAccount(ctx context.Context, s *scope) error {
	s.open = true
	s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionFalse, v1alpha1.ReasonNotCreated, "the account has not been created yet")
	if err := r.readyToCreate(ctx, s); err != nil {
		return err
	}
	if err := r.intendCreation(ctx, s); err != nil {
		return err
	}
	account, issued, err := s.client.CreateAccount(ctx, mfaclient.CreateAccountRequest{
		Login: s.user.Spec.Login, Fields: rules.CreationFields(s.user), CodeType: remoteCodeTypes[s.user.Spec.Code.Type],
	})
	if err != nil {
		return r.creationFailed(ctx, s, err)
	}
	if s.conn.quotaFree() {
		r.wakeUsersOf(s.conn.key)
	}
	// From here to the written status nothing is cancelled: the code is shown once.
	ctx, cancel := unrepeatable(ctx)
	defer cancel()
	s.conn.inventory.Put(account)
	s.see(account)
	s.fresh = true
	s.user.Status.Creating = nil
	s.did("Created", "Create", "created the account")
	if s.user.Spec.Code.WantedGeneration() == 0 {
		s.user.Status.Code = nil
		return nil
	}
	return r.handOut(ctx, s, rules.CreationRequest(s.user).Intent(r.now()), issued)
}

// readyToCreate checks all that can be checked before the account exists.
func (r *UserReconciler) readyToCreate(ctx context.Context, s *scope) error {
	if err := mayBegin(s); err != nil {
		return err
	}
	if wait := s.conn.quotaWait(s.now); wait > 0 {
		return waitingFor(v1alpha1.ReasonQuotaExceeded, messageQuota, wait)
	}
	if s.user.Spec.Code.WantedGeneration() > 0 {
		if err := r.readyToIssue(ctx, s, rules.CreationRequest(s.user)); err != nil {
			return err
		}
	}
	if wait := s.conn.quotaTurn(s.now, interval(s.connObject)); wait > 0 {
		return waitingFor(v1alpha1.ReasonQuotaExceeded, messageQuota, wait)
	}
	return nil
}

// intendCreation writes down, before the call, that the account is about to be created: first the finalizer, then the
// intent, locked to what this pass has read.
func (r *UserReconciler) intendCreation(ctx context.Context, s *scope) error {
	if err := r.addFinalizer(ctx, s); err != nil {
		return err
	}
	status := &s.user.Status
	if status.AccountID != "" {
		// The account was here and is gone: making another takes the person's devices for good, so it counts as a removal.
		lost := mfaclient.Account{ID: s.accountID(), Login: s.user.Spec.Login}
		if err := r.recordRemoval(ctx, s, lost, v1alpha1.RemovalRecreate, false); err != nil {
			return err
		}
		status.AccountID, status.Code = "", nil
	}
	attempts := int32(0)
	if status.Creating != nil {
		attempts = status.Creating.Attempts
	}
	now := r.now()
	status.Creating = &v1alpha1.CreationIntent{At: metav1.NewMicroTime(now), Attempts: attempts + 1}
	rules.NoteHandled(s.user) // now: what is asked for once the call is under way is not what it answers
	if s.user.Spec.Code.WantedGeneration() > 0 {
		s.countCode(metav1.NewTime(now.Truncate(time.Second)))
	}
	return r.recordIntent(ctx, s)
}

// creationFailed withdraws the intent when the service has clearly made nothing, and keeps it when it may have.
func (r *UserReconciler) creationFailed(ctx context.Context, s *scope, err error) error {
	e := asClientError(err)
	switch {
	case e.Unclear:
		// A listing may have begun while the call waited for its turn: only one begun from now on can tell.
		s.user.Status.Creating.At = metav1.NewMicroTime(r.now())
		return fmt.Errorf("create account: %w", err)
	case e.Kind == mfaclient.KindConflict:
		// Somebody has this login. On a first attempt that can't be us; later it may be an earlier attempt of ours.
		if err := r.withdrawCreation(ctx, s); err != nil {
			return err
		}
		if err := r.listedSince(ctx, s, r.now()); err != nil {
			return err
		}
		if _, exists := s.conn.inventory.ByLogin(s.user.Spec.Login); !exists && s.user.Status.Creating == nil {
			return stalledFor(v1alpha1.ReasonAccountConflict, "the service says that the login is taken, but lists no account with it; ask its administrator", deniedRetry)
		}
	case e.Kind == mfaclient.KindQuotaExceeded:
		s.conn.quotaFull(s.now.Add(interval(s.connObject)))
		if err := r.withdrawCreation(ctx, s); err != nil {
			return err
		}
		return waitingFor(v1alpha1.ReasonQuotaExceeded, messageQuota, interval(s.connObject))
	default:
		if err := r.withdrawCreation(ctx, s); err != nil {
			return err
		}
	}
	return fmt.Errorf("create account: %w", err)
}

// withdrawCreation takes the intent of a first attempt off the record, at once and whoever has touched the object
// meanwhile: left there, it would make somebody else's account with this login look like ours. An earlier attempt, whose
// outcome is still open, stays on record.
func (r *UserReconciler) withdrawCreation(ctx context.Context, s *scope) error {
	intent := s.user.Status.Creating
	if intent.Attempts > 1 {
		return nil
	}
	ctx, cancel := unrepeatable(ctx)
	defer cancel()
	s.user.Status.Creating = nil
	// A JSON patch with a test: just this intent goes, without a lock that others could make it lose.
	operations := []map[string]any{
		{"op": "test", "path": "/status/creating/at", "value": intent.At},
		{"op": "remove", "path": "/status/creating"},
	}
	if s.user.Spec.Code.WantedGeneration() > 0 {
		s.uncountCode()
		operations = append(operations, map[string]any{"op": "replace", "path": "/status/codeTimes", "value": s.user.Status.CodeTimes})
	}
	patch, err := json.Marshal(operations)
	if err != nil {
		return fmt.Errorf("withdraw the intent: %w", err)
	}
	patched := s.base.DeepCopy()
	err = r.patchStatus(ctx, patched, client.RawPatch(types.JSONPatchType, patch))
	switch {
	case apierrors.IsNotFound(err), apierrors.IsInvalid(err):
		return nil // the MFAUser is gone, or the intent on record is another one
	case err != nil:
		return fmt.Errorf("withdraw the intent: %w", err)
	}
	s.rebase(patched)
	return nil
}

// addFinalizer puts the finalizer on just before the first remote write, and the pass carries on: with a predicate on
// generations nothing would wake it again.
func (r *UserReconciler) addFinalizer(ctx context.Context, s *scope) error {
	if controllerutil.ContainsFinalizer(s.user, v1alpha1.Finalizer) {
		return nil
	}
	patched := s.base.DeepCopy()
	controllerutil.AddFinalizer(patched, v1alpha1.Finalizer)
	lock := client.MergeFromWithOptions(s.base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, patched, lock); err != nil {
		return fmt.Errorf("add the finalizer: %w", err)
	}
	s.rebase(patched)
	return nil
}

// recordIntent writes status before a call that can't be repeated: the one exception to writing it once, at the end. The
// lock makes sure that of two passes over the same state only one goes on to the call.
func (r *UserReconciler) recordIntent(ctx context.Context, s *scope) error {
	patched := s.base.DeepCopy()
	copyIntents(&patched.Status, &s.user.Status)
	lock := client.MergeFromWithOptions(s.base, client.MergeFromWithOptimisticLock{})
	if err := r.patchStatus(ctx, patched, lock); err != nil {
		// What is not on record does not happen, and must not get on record at the end of the pass.
		copyIntents(&s.user.Status, &s.base.Status)
		return fmt.Errorf("record the intent: %w", err)
	}
	s.rebase(patched)
	return nil
}

// copyIntents copies what status says about calls that can't be repeated.
func copyIntents(to, from *v1alpha1.MFAUserStatus) {
	from = from.DeepCopy()
	if to.AccountID != from.AccountID {
		to.Devices = nil // of the account before this one
	}
	to.AccountID, to.Creating, to.Code, to.CodeTimes, to.CodeRefusal = from.AccountID, from.Creating, from.Code, from.CodeTimes, from.CodeRefusal
	to.HandledCodeGeneration, to.HandledIssueCodes = from.HandledCodeGeneration, from.HandledIssueCodes
	to.BlockedByRemoval = from.BlockedByRemoval // what it says is of the account on record
	// Of an account that takes the place of one that is gone nothing is as stated yet: its groups least of all.
	if synced := meta.FindStatusCondition(from.Conditions, v1alpha1.ConditionAccountSynced); synced != nil {
		meta.SetStatusCondition(&to.Conditions, *synced)
	}
}

// rebase makes what was just written the base of the next write, and keeps what the steps have found since.
func (s *scope) rebase(written *v1alpha1.MFAUser) {
	status := s.user.Status
	s.base = written
	s.user = written.DeepCopy()
	s.user.Status = status
}

// resultTime is how long storing an answer may take once the manager is being stopped.
const resultTime = 10 * time.Second

// unrepeatable returns a context for storing the answer of a call that can't be repeated: a shutdown does not cancel it.
func unrepeatable(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), resultTime)
}
