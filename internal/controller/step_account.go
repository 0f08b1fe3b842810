package controller

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
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
	if err := r.useUpRemovals(ctx, s); err != nil {
		return err
	}
	diff := rules.Compare(s.user, *s.account)
	s.recount(diff)
	if diff.Empty() {
		s.markFieldsInSync()
		return nil
	}
	s.markDiffering(diff.Names())
	if s.observeOnly() {
		s.pending = append(s.pending, diff.Names()...)
		return nil
	}
	s.open = true
	if err := r.ownAccount(ctx, s); err != nil {
		return err
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
	if !rules.MaySettle(s.connObject, s.user) {
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

// ownAccount puts on record whose an account is that was just made or taken up, before the pass goes on to other calls. A new one
// that is used, or has a role or a block, no longer looks like one that was made a moment ago, and the intent alone would prove
// nothing. Of one taken up nothing else tells, should its manifest go meanwhile: it would be left as it was made.
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
func (r *UserReconciler) updateAccount(ctx context.Context, s *scope, diff rules.Difference) error {
	if s.takesAway(diff, *s.account) {
		done, err := r.lookAgain(ctx, s, &diff)
		if err != nil {
			return err
		}
		defer done()
	}
	if diff.Empty() {
		if len(s.unkept) == 0 {
			s.markFieldsInSync()
		}
		return nil
	}
	account, err := s.client.UpdateAccount(ctx, s.account.ID, diff.Fields())
	if err != nil {
		return r.whenGone(s, err)
	}
	s.conn.inventory.Put(account)
	s.did("Updated", "Update", "wrote "+strings.Join(diff.Names(), ", "))
	s.countWrites(diff)
	// The answer is in the picture now, so no listing will tell that the account was renamed or promoted meanwhile.
	if err := r.accept(s, account); err != nil {
		return err
	}
	s.forgetOwnBlock()
	s.judgeWrites(rules.Compare(s.user, account))
	return r.useUpRemovals(ctx, s)
}

// takesAway tells whether writing the difference takes access or power from anybody. The block of an account that this
// very pass has made does not.
func (s *scope) takesAway(diff rules.Difference, account mfaclient.Account) bool {
	return diff.Blocks() && !s.made || diff.Demotes(account)
}

// lookAgain reads the account afresh before a change that takes something away, for the listing may be an interval old,
// and leaves in diff what is still to be written. What it returns is called once that is done.
func (r *UserReconciler) lookAgain(ctx context.Context, s *scope, diff *rules.Difference) (done func(), err error) {
	if err := protected(s, *s.account); err != nil {
		return nil, err // without a call: it is looked at again in every interval
	}
	fresh, err := s.client.GetAccount(ctx, s.account.ID)
	if err != nil {
		return nil, r.whenGone(s, err)
	}
	s.conn.inventory.Saw(fresh)
	if err := r.accept(s, fresh); err != nil {
		return nil, err
	}
	*diff = s.writable(rules.Compare(s.user, fresh))
	if !s.takesAway(*diff, fresh) {
		return func() {}, nil
	}
	if done, err = r.mayTakeFrom(ctx, s, fresh); err != nil {
		return nil, err
	}
	if diff.Blocks() && !s.made {
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
	done = r.connections.guardAdministrators(s.connObject.Spec.URL, account)
	if account.Role == mfaclient.RoleAdministrator {
		// Whether it is the last one must not be judged by a picture from before another was blocked elsewhere, be it by a
		// pass that this one has just waited for.
		err = r.listedSince(ctx, s, r.now())
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

// whenGone marks an account as missing when a call said so, so that the next pass reads it. Only that tells: a service may
// lack the path of the call, and an account that is said to be missing counts for the guard as one to be made again.
func (r *UserReconciler) whenGone(s *scope, err error) error {
	if mfaclient.KindOf(err) == mfaclient.KindNotFound {
		s.conn.inventory.Suspect(s.account.ID)
		// With growing delays: a service that finds the account when it is read, but not when it is written, is asked ever more rarely.
		return &outcome{class: classRetry, reason: v1alpha1.ReasonProgressing, message: "the service does not find what a call for the account asked for; the account is read to see whether it is missing"}
	}
	return err
}

// protected refuses to take power or access from the accounts without which nobody could administer the service. Whether
// one is among them changes with other accounts, which wake nobody: it is looked at again in every interval.
func protected(s *scope, account mfaclient.Account) error {
	message := rules.Protection(s.claims.AdminLogin, account, func() int { return s.conn.inventory.CountRole(mfaclient.RoleAdministrator) })
	if message == "" {
		return nil
	}
	return stalledFor(v1alpha1.ReasonProtectedAccount, message, interval(s.connObject))
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
