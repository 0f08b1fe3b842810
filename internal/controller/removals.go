package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const (
	// removalsLife and removalsMax bound the record of removals.
	removalsLife = 30 * 24 * time.Hour
	removalsMax  = 1000
	// removalRepeat is the time in which the same removal of the same account is the same one, tried again.
	removalRepeat = time.Hour
)

// recordRemoval writes a removal into the connection's status, before its call. released says that the MFAUser goes with
// it. A removal that is tried again is not counted twice.
func (r *UserReconciler) recordRemoval(ctx context.Context, s *scope, account mfaclient.Account, action v1alpha1.RemovalAction, released bool) error {
	s.conn.removals.Lock()
	defer s.conn.removals.Unlock()
	now := r.now()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var object v1alpha1.MFAConnection
		// Live: the cache may not show the removal that another user has just recorded.
		if err := r.live.Get(ctx, s.conn.key, &object); err != nil {
			return err
		}
		s.connObject = &object
		if recorded(&object, s.user, account.ID, action, released, now) {
			return nil
		}
		base := object.DeepCopy()
		object.Status.Removals = append(stillKept(object.Status.Removals, now), v1alpha1.Removal{
			AccountID: string(account.ID), Namespace: s.user.Namespace, Name: s.user.Name, Login: s.user.Spec.Login,
			Action: action, Time: metav1.NewTime(now), Released: released,
		})
		return r.client.Status().Patch(ctx, &object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	})
	if err != nil {
		return fmt.Errorf("record the removal: %w", err)
	}
	return nil
}

// stillKept drops what is older than 30 days and, beyond 1,000, the oldest, so that there is room for one more.
func stillKept(removals []v1alpha1.Removal, now time.Time) []v1alpha1.Removal {
	kept := make([]v1alpha1.Removal, 0, len(removals)+1)
	for _, removal := range removals {
		if now.Sub(removal.Time.Time) < removalsLife {
			kept = append(kept, removal)
		}
	}
	return kept[max(0, len(kept)-(removalsMax-1)):]
}

// recorded tells whether just this removal has been written down already, by a pass that stopped after it. One that lets
// the MFAUser go happens once in its life; others are the same within an hour.
func recorded(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, id mfaclient.AccountID, action v1alpha1.RemovalAction, released bool, now time.Time) bool {
	since := now.Add(-removalRepeat)
	if released {
		since = user.CreationTimestamp.Time
	}
	return slices.ContainsFunc(conn.Status.Removals, func(removal v1alpha1.Removal) bool {
		return isOf(&removal, user) && removal.AccountID == string(id) && removal.Action == action &&
			removal.Released == released && !removal.Time.Time.Before(since)
	})
}

// releasedRemoval returns the newest removal that let this very manifest go from this very account. It proves the account
// ours, for 30 days: entries are dropped only when another comes.
func releasedRemoval(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, account mfaclient.Account, now time.Time) *v1alpha1.Removal {
	for n := len(conn.Status.Removals) - 1; n >= 0; n-- {
		removal := &conn.Status.Removals[n]
		if isOf(removal, user) && removal.AccountID == string(account.ID) && removal.Released && now.Sub(removal.Time.Time) < removalsLife {
			return removal
		}
	}
	return nil
}

func isOf(removal *v1alpha1.Removal, user *v1alpha1.MFAUser) bool {
	return removal.Namespace == user.Namespace && removal.Name == user.Name &&
		inventory.LoginKey(removal.Login) == inventory.LoginKey(user.Spec.Login)
}
