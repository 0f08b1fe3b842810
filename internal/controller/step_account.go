package controller

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// syncAccount makes the account's fields what the manifest states, or makes the account.
func (r *UserReconciler) syncAccount(ctx context.Context, s *scope) error {
	if s.account == nil {
		if s.observeOnly() {
			s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionFalse, v1alpha1.ReasonAccountMissing, "there is no account with this login")
			return waiting(v1alpha1.ReasonAccountMissing, "there is no account with this login, and managementPolicy Observe does not create one")
		}
		if err := r.makeAccount(ctx, s); err != nil {
			return err
		}
	} else if !s.observeOnly() {
		// Also before anything is written: from now on the account's removal is this operator's to do.
		if err := r.addFinalizer(ctx, s); err != nil {
			return err
		}
	}
	s.forgetOwnBlock()
	diff := compare(s.user, *s.account)
	s.recount(diff)
	if diff.empty() {
		s.markFieldsInSync()
		return nil
	}
	s.markDiffering(diff.names())
	if s.observeOnly() {
		s.pending = append(s.pending, diff.names()...)
		return nil
	}
	s.open = true
	if s.made {
		if err := r.ownAccount(ctx, s); err != nil {
			return err
		}
	}
	return r.updateAccount(ctx, s, s.writable(diff))
}

// forgetOwnBlock forgets that a removal of ours has blocked the account, as soon as it is undone or the manifest says what to
// do: the next block is somebody else's, and stays.
func (s *scope) forgetOwnBlock() {
	if !s.account.Blocked || s.user.Spec.Access != nil {
		s.user.Status.BlockedByRemoval = false
	}
}

// makeAccount makes the account, where it can be made what the manifest asks.
func (r *UserReconciler) makeAccount(ctx context.Context, s *scope) error {
	if !maySettle(s.connObject, s.user) {
		return stalled(v1alpha1.ReasonNotAllowed,
			"the manifest states no role, so its account would stay a User, and the MFAConnection's policy.roles does not list that role; state one that it lists")
	}
	if err := r.createAccount(ctx, s); err != nil {
		return err
	}
	s.made = true
	if s.user.Spec.Groups != nil {
		return r.ownAccount(ctx, s) // groups take calls of their own, and the person may use the code meanwhile
	}
	return nil
}

// ownAccount puts on record whose the account is that was just made, before the pass goes on to other calls: once it is
// used, or has a role or a block, it no longer looks like one that was made a moment ago, and the intent alone would prove
// nothing.
func (r *UserReconciler) ownAccount(ctx context.Context, s *scope) error {
	if s.base.Status.AccountID == s.user.Status.AccountID {
		return nil
	}
	if err := r.accept(s, *s.account); err != nil {
		return err
	}
	return r.recordIntent(ctx, s)
}

// updateAccount writes what differs.
func (r *UserReconciler) updateAccount(ctx context.Context, s *scope, diff difference) error {
	if s.takesAway(diff, *s.account) {
		done, err := r.lookAgain(ctx, s, &diff)
		if err != nil {
			return err
		}
		defer done()
	}
	if diff.empty() {
		if len(s.unkept) == 0 {
			s.markFieldsInSync()
		}
		return nil
	}
	account, err := s.client.UpdateAccount(ctx, s.account.ID, diff.fields())
	if err != nil {
		return r.whenGone(s, err)
	}
	s.conn.inventory.Put(account)
	s.did("Updated", "Update", "wrote "+strings.Join(diff.names(), ", "))
	s.countWrites(diff)
	// The answer is in the picture now, so no listing will tell that the account was renamed or promoted meanwhile.
	if err := r.accept(s, account); err != nil {
		return err
	}
	s.forgetOwnBlock()
	s.judgeWrites(compare(s.user, account))
	return nil
}

// lookAgain reads the account afresh before a change that takes something away, for the listing may be an interval old,
// and leaves in diff what is still to be written. What it returns is called once that is done.
func (r *UserReconciler) lookAgain(ctx context.Context, s *scope, diff *difference) (done func(), err error) {
	if err := protected(s, *s.account); err != nil {
		return nil, err // without a call: it is looked at again in every interval
	}
	fresh, err := s.client.GetAccount(ctx, s.account.ID)
	if err != nil {
		return nil, r.whenGone(s, err)
	}
	s.conn.inventory.Put(fresh)
	if err := r.accept(s, fresh); err != nil {
		return nil, err
	}
	*diff = s.writable(compare(s.user, fresh))
	if !s.takesAway(*diff, fresh) {
		return func() {}, nil
	}
	if done, err = r.mayTakeFrom(ctx, s, fresh); err != nil {
		return nil, err
	}
	if diff.blocks() && !s.made {
		if err := r.recordRemoval(ctx, s, fresh, v1alpha1.RemovalBlock, false); err != nil {
			done()
			return nil, err
		}
	}
	return done, nil
}

// mayTakeFrom refuses to take access or power from a protected account, as it was just read. What it returns is called once
// that is done: until then no other pass takes any from an administrator.
func (r *UserReconciler) mayTakeFrom(ctx context.Context, s *scope, account mfaclient.Account) (done func(), err error) {
	done = s.conn.guardAdministrators(account)
	if account.Role == mfaclient.RoleAdministrator {
		// Whether it is the last one must not be judged by a picture from before another was blocked elsewhere.
		err = r.listedSince(ctx, s, s.now)
	}
	if err == nil {
		err = protected(s, account)
	}
	if err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// whenGone marks an account as missing when a call said so, so that the next pass confirms it.
func (r *UserReconciler) whenGone(s *scope, err error) error {
	if mfaclient.KindOf(err) == mfaclient.KindNotFound {
		s.conn.inventory.Suspect(s.account.ID)
		// With growing delays: a service that finds the account when it is read, but not when it is written, is asked ever more rarely.
		return &outcome{class: classRetry, reason: v1alpha1.ReasonAccountMissing, message: "the account is missing from the service; that is being confirmed before it is made again"}
	}
	return err
}

// protected refuses to take power or access from the accounts without which nobody could administer the service. Whether
// one is among them changes with other accounts, which wake nobody: it is looked at again in every interval.
func protected(s *scope, account mfaclient.Account) error {
	refuse := func(message string) error {
		return stalledFor(v1alpha1.ReasonProtectedAccount, message, interval(s.connObject))
	}
	if s.claims.AdminLogin != "" && strings.EqualFold(account.Login, s.claims.AdminLogin) {
		return refuse("this is the account of the API token itself; it is never blocked, demoted or deleted")
	}
	if account.Role != mfaclient.RoleUser && s.claims.AdminLogin == "" {
		return refuse("with an opaque token the token's own account is not known, so no privileged account is blocked, demoted or deleted")
	}
	if account.Role == mfaclient.RoleAdministrator && !account.Blocked && s.conn.inventory.CountRole(mfaclient.RoleAdministrator) <= 1 {
		return refuse("this is the last administrator of the service; it is never blocked, demoted or deleted")
	}
	return nil
}

// markFieldsInSync says that the fields are as stated. Where groups are stated too, syncGroups has the last word: the
// condition tells the next pass whether they have been looked at for this manifest.
func (s *scope) markFieldsInSync() {
	if s.user.Spec.Groups == nil {
		s.markInSync()
		return
	}
	if synced := meta.FindStatusCondition(s.user.Status.Conditions, v1alpha1.ConditionAccountSynced); synced != nil && synced.Reason == v1alpha1.ReasonNotCreated {
		s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionFalse, v1alpha1.ReasonOutOfSync, "the groups have not been written yet")
	}
}

// markInSync says that all is as stated, unless a field is known not to be.
func (s *scope) markInSync() {
	if differing := slices.Concat(s.pending, s.again, s.unkept); len(differing) > 0 {
		s.markDiffering(differing)
		return
	}
	s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionTrue, v1alpha1.ReasonInSync, "every stated field and group is as stated")
}

func (s *scope) markDiffering(names []string) {
	s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionFalse, v1alpha1.ReasonOutOfSync, "the account differs in: "+strings.Join(names, ", "))
}
