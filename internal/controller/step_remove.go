package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// letGo releases a deleted MFAUser without a remote call where its policy asks for none: Retain, Observe, suspended, and
// the orphan annotation on it or on its connection. It needs no connection, so that every finalizer has an end.
func (r *UserReconciler) letGo(ctx context.Context, s *scope) error {
	if rules.LetsGo(s.user) || !mayHold(s.user) {
		return r.release(ctx, s)
	}
	var conn v1alpha1.MFAConnection // stays empty where there is none
	if err := r.readConnection(ctx, s.user.ConnectionKey(), &conn); client.IgnoreNotFound(err) != nil && !errors.Is(err, errNotWatched) {
		return err
	}
	if rules.Orphans(&conn) {
		return r.release(ctx, s)
	}
	if message := rules.OrphanRefusal(&conn, s.user); message != "" {
		return stalledFor(v1alpha1.ReasonOrphanUnclear, message, orphanAgain)
	}
	return nil
}

// lookBeforeRemoval reads the account of a deleted MFAUser as it is now: the listing may be an interval old, and what follows
// takes somebody's access. An MFAUser without an account goes, and so does one whose account another holds.
func (r *UserReconciler) lookBeforeRemoval(ctx context.Context, s *scope) error {
	id, err := r.accountToRemove(ctx, s)
	if err != nil {
		return err
	}
	if id == "" {
		return r.release(ctx, s)
	}
	switch held, err := r.stillHeld(ctx, s, id); {
	case err != nil:
		return err
	case held:
		s.did("Left", "Release", "left the account as it is, for another MFAUser holds it too")
		return r.release(ctx, s)
	}
	account, err := s.client.GetAccount(ctx, id)
	if mfaclient.KindOf(err) == mfaclient.KindNotFound {
		return r.releaseGone(ctx, s, id)
	}
	if err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	s.conn.inventory.Saw(account)
	if err := r.accept(s, account); err != nil {
		// The account is left as it is, and a code that was used must not stay all the same.
		if err := r.followCode(ctx, s); err != nil {
			s.setAside(ctx, err)
		}
		return removalHint(err)
	}
	return nil
}

// releaseGone lets an MFAUser go whose account a read has not found, once a listing begun after that does not show it
// either: behind a gateway that does not know the path of the read, every leaver would keep his access.
func (r *UserReconciler) releaseGone(ctx context.Context, s *scope, id mfaclient.AccountID) error {
	if _, known := s.conn.inventory.ByID(id); !known {
		return r.release(ctx, s)
	}
	s.conn.inventory.Unpin(id)
	if err := r.listedSince(ctx, s, s.conn.extra.firstSeen(s.user.UID, "gone", s.now)); err != nil {
		return err
	}
	if !s.conn.inventory.Missing(id) {
		s.conn.extra.forget(s.user.UID)
		return removalHint(stalledFor(v1alpha1.ReasonMalformedResponse,
			"the service lists the account and does not find it by its id, so it can't be removed; see whether the paths of the API are those of this service (--api-overrides)", deniedRetry))
	}
	s.conn.inventory.Remove(id)
	return r.release(ctx, s)
}

// removeAccount blocks or deletes the account of a deleted MFAUser, and then lets the MFAUser go.
func (r *UserReconciler) removeAccount(ctx context.Context, s *scope) error {
	account := *s.account
	done, err := r.mayTakeFrom(ctx, s, account)
	if err != nil {
		return removalHint(err)
	}
	defer done()
	if err := r.remove(ctx, s, account); err != nil {
		return err
	}
	return r.release(ctx, s)
}

// accountToRemove returns the account that is proven this user's; none when nothing was made. A creation that is still
// open is looked into first.
func (r *UserReconciler) accountToRemove(ctx context.Context, s *scope) (mfaclient.AccountID, error) {
	if s.user.Status.AccountID != "" || s.user.Status.Creating == nil {
		return s.accountID(), nil
	}
	if err := r.listedSince(ctx, s, s.user.Status.Creating.At.Time); err != nil {
		return "", err
	}
	account, exists := s.conn.inventory.ByLogin(s.user.Spec.Login)
	if !exists || !rules.MayBeMaking(s.user, s.now) || !rules.MadeByUs(account) {
		return "", nil
	}
	return account.ID, nil
}

// remove takes the access away, after it has been written down.
func (r *UserReconciler) remove(ctx context.Context, s *scope, account mfaclient.Account) error {
	if s.user.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		if err := r.recordRemoval(ctx, s, account, v1alpha1.RemovalDelete, true); err != nil {
			return err
		}
		if err := s.client.DeleteAccount(ctx, account.ID); err != nil {
			return fmt.Errorf("delete the account: %w", err) // also one that is not found: the next pass reads whether it is gone
		}
		s.conn.inventory.Remove(account.ID)
		s.did("Deleted", "Delete", "deleted the account")
		return nil
	}
	if account.Blocked {
		if s.user.Status.BlockedByRemoval || recorded(s.connObject, s.user, account.ID, v1alpha1.RemovalBlock, true, r.now()) {
			return nil // ours: of a pass that was stopped before it could release the user, or of an earlier life of the manifest
		}
		return r.recordRemoval(ctx, s, account, v1alpha1.RemovalKeep, true)
	}
	if err := r.recordRemoval(ctx, s, account, v1alpha1.RemovalBlock, true); err != nil {
		return err
	}
	blocked, err := s.client.UpdateAccount(ctx, account.ID, mfaclient.AccountFields{Blocked: new(true)})
	if err != nil {
		return fmt.Errorf("block the account: %w", err)
	}
	s.conn.inventory.Put(blocked)
	if !blocked.Blocked {
		return removalHint(&outcome{class: classRetry, reason: v1alpha1.ReasonProgressing,
			message: "the service accepts the block and does not keep it; tried again with growing delays"})
	}
	s.did("Blocked", "Block", "blocked the account")
	return nil
}

// orphanAgain is how often an unclear orphan annotation is read again: removing one wakes nobody.
const orphanAgain = time.Minute

// orphanHint is the way out of a removal that can't be carried out.
const orphanHint = `. To let this MFAUser go and leave the account as it is, annotate it with trustbuilder-mfa.dev/orphan: "true"`

// removalHint adds the way out to the refusal of a removal.
func removalHint(err error) error {
	if held, ok := isOutcome(err); ok {
		held.message += orphanHint
	}
	return err
}

// release takes the finalizer off. The code Secret goes with its owner.
func (r *UserReconciler) release(ctx context.Context, s *scope) error {
	r.groupChecks.forget(s.user.UID)
	r.deviceReads.forget(s.user.UID)
	r.leftCodes.leave(s.user, s.now) // before another MFAUser can take the account up
	if err := r.removeFinalizer(ctx, s); err != nil {
		return err
	}
	s.released = true
	r.wakeRivals(ctx, s.user)
	return nil
}

// letLoose releases an MFAUser that is not deleted from a connection that is deleted together with its hold on accounts.
// The account stays recorded: through another connection of that name it is this user's again.
func (r *UserReconciler) letLoose(ctx context.Context, s *scope) error {
	if err := r.removeFinalizer(ctx, s); err != nil {
		return err
	}
	if !s.open {
		return quiet()
	}
	return waiting(v1alpha1.ReasonConnectionDeleting, messageConnectionDeleting)
}

func (r *UserReconciler) removeFinalizer(ctx context.Context, s *scope) error {
	patched := s.base.DeepCopy()
	if !controllerutil.RemoveFinalizer(patched, v1alpha1.Finalizer) {
		return nil
	}
	lock := client.MergeFromWithOptions(s.base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, patched, lock); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	s.rebase(patched)
	return nil
}
