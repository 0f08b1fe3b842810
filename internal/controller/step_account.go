package controller

import (
	"context"
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
	diff := compare(s.user, *s.account, s.liftBlock)
	if diff.empty() {
		s.markFieldsInSync()
		return nil
	}
	s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionFalse, v1alpha1.ReasonOutOfSync, "the account differs in: "+strings.Join(diff.names, ", "))
	if s.observeOnly() {
		s.pending = append(s.pending, diff.names...)
		return nil
	}
	s.open = true
	if s.made {
		if err := r.ownAccount(ctx, s); err != nil {
			return err
		}
	}
	err := r.updateAccount(ctx, s, diff)
	if err != nil && s.liftBlock {
		s.user.Status.AccountID = "" // not taken back until the block is off, so that the next pass tries again
	}
	return err
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
	return nil
}

// ownAccount puts on record whose the account is that was just made, before role or block are written to it: with either
// it no longer looks like one that was made a moment ago, and the intent alone would prove nothing.
func (r *UserReconciler) ownAccount(ctx context.Context, s *scope) error {
	if err := r.accept(s, *s.account); err != nil {
		return err
	}
	return r.recordIntent(ctx, s)
}

// updateAccount writes what differs. Before a change that takes something away the account is read afresh: the listing
// may be an interval old.
func (r *UserReconciler) updateAccount(ctx context.Context, s *scope, diff difference) error {
	if s.takesAway(diff, *s.account) {
		fresh, err := s.client.GetAccount(ctx, s.account.ID)
		if err != nil {
			return r.whenGone(s, err)
		}
		s.conn.inventory.Put(fresh)
		if err := r.accept(s, fresh); err != nil {
			return err
		}
		if diff = compare(s.user, fresh, s.liftBlock); diff.empty() {
			s.markFieldsInSync()
			return nil
		}
		if s.takesAway(diff, fresh) {
			defer s.conn.guardAdministrators(fresh)()
			if err := protected(s, fresh); err != nil {
				return err
			}
		}
		if diff.blocks() && !s.made {
			if err := r.recordRemoval(ctx, s, fresh, v1alpha1.RemovalBlock, false); err != nil {
				return err
			}
		}
	}
	before := s.user.Status.State
	account, err := s.client.UpdateAccount(ctx, s.account.ID, diff.fields)
	if err != nil {
		return r.whenGone(s, err)
	}
	s.conn.inventory.Put(account)
	if s.see(account); s.user.Status.State != before {
		s.stored = false // the Secret, if this pass has written it, says the state of before
	}
	s.did("Updated", "Update", "wrote "+strings.Join(diff.names, ", "))
	if left := compare(s.user, account, s.liftBlock); !left.empty() {
		return stalled(v1alpha1.ReasonNotConverging, "the service does not keep what is written to: "+strings.Join(left.names, ", "))
	}
	s.markFieldsInSync()
	return nil
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

// protected refuses to take power or access from the accounts without which nobody could administer the service.
func protected(s *scope, account mfaclient.Account) error {
	if s.claims.AdminLogin != "" && strings.EqualFold(account.Login, s.claims.AdminLogin) {
		return stalled(v1alpha1.ReasonProtectedAccount, "this is the account of the API token itself; it is never blocked, demoted or deleted")
	}
	if account.Role != mfaclient.RoleUser && s.claims.AdminLogin == "" {
		return stalled(v1alpha1.ReasonProtectedAccount, "with an opaque token the token's own account is not known, so no privileged account is blocked, demoted or deleted")
	}
	if account.Role == mfaclient.RoleAdministrator && !account.Blocked && s.conn.inventory.CountRole(mfaclient.RoleAdministrator) <= 1 {
		return stalled(v1alpha1.ReasonProtectedAccount, "this is the last administrator of the service; it is never blocked, demoted or deleted")
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

func (s *scope) markInSync() {
	s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionTrue, v1alpha1.ReasonInSync, "every stated field and group is as stated")
}
