package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

const (
	// removalsMax bounds the record of removals, beside rules.RemovalsLife.
	removalsMax = 1000
	// removalsBytes bounds it too: names and logins may be long, and once etcd refuses the object for its size no removal
	// of the connection could be recorded any more.
	removalsBytes = 512 << 10
	// removalRepeat is the time in which the same removal of the same account is the same one, tried again.
	removalRepeat = time.Hour
)

// recordRemoval writes a removal into the connection's status, before its call, or says that changeGuard holds it. It is the
// one way to a call that takes somebody's access away. released says that the MFAUser goes with it. A removal that is tried
// again passes, and is not counted twice.
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
		if action == v1alpha1.RemovalKeep && recorded(&object, s.user, account.ID, v1alpha1.RemovalBlock, released, now) {
			return nil // the block is ours: the pass was held against a copy that did not show it
		}
		base := object.DeepCopy()
		if action != v1alpha1.RemovalKeep { // that takes nothing from anybody
			if err := r.passGuard(s, &object, account.ID, now); err != nil {
				return err
			}
		}
		removals, err := withRoom(&object, now)
		if err != nil {
			return err
		}
		object.Status.Removals = append(removals, v1alpha1.Removal{
			AccountID: string(account.ID), Namespace: s.user.Namespace, Name: s.user.Name, UID: s.user.UID, Login: s.user.Spec.Login,
			Action: action, Time: metav1.NewTime(now), Released: released,
		})
		return r.patchStatus(ctx, &object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	})
	if err != nil {
		return fmt.Errorf("record the removal: %w", err)
	}
	return nil
}

// useUpRemovals makes the record that has given an account back prove nothing any more, once status says whose the account is:
// should the user let it go without a removal, it is not given back once more, nor is the block undone that somebody puts on it
// then. As long as the removal's own block is not undone, it has not given all back. The entries stay, for the guard counts them.
func (r *UserReconciler) useUpRemovals(ctx context.Context, s *scope) error {
	if s.user.Status.BlockedByRemoval || rules.ReleasedRemoval(s.connObject, s.user, *s.account, s.now) == nil {
		return nil
	}
	if err := r.ownAccount(ctx, s); err != nil {
		return err
	}
	s.conn.removals.Lock()
	defer s.conn.removals.Unlock()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var object v1alpha1.MFAConnection
		if err := r.live.Get(ctx, s.conn.key, &object); err != nil {
			return err
		}
		s.connObject = &object
		base, changed := object.DeepCopy(), false
		for n := range object.Status.Removals {
			if removal := &object.Status.Removals[n]; removal.AccountID == s.user.Status.AccountID && removal.Released {
				removal.Released, changed = false, true
			}
		}
		if !changed {
			return nil // the copy of the pass was older
		}
		return r.patchStatus(ctx, &object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	})
	if err != nil {
		return fmt.Errorf("use up the record of a removal: %w", err)
	}
	return nil
}

// withRoom returns the record without what is older than 30 days and, when it is full, without as much more as makes room
// for one entry. What the guard counts is never dropped: then the removal waits for the window to pass.
func withRoom(conn *v1alpha1.MFAConnection, now time.Time) ([]v1alpha1.Removal, error) {
	g := rules.GuardOf(conn)
	kept, size := make([]v1alpha1.Removal, 0, len(conn.Status.Removals)+1), 0
	for _, removal := range conn.Status.Removals {
		if now.Sub(removal.Time.Time) < rules.RemovalsLife || g.Holds(&removal, now) {
			kept, size = append(kept, removal), size+sizeOf(&removal)
		}
	}
	for len(kept) >= removalsMax || size >= removalsBytes {
		at := repeated(kept)
		if at < 0 {
			at = leastMissed(kept, g, now)
		}
		if at < 0 {
			return nil, stalledFor(v1alpha1.ReasonRemovalHeld,
				"the MFAConnection's record of removals is full of those within the changeGuard's window; this one waits until some are older", kept[0].Time.Add(g.Window).Sub(now))
		}
		size -= sizeOf(&kept[at])
		kept = slices.Delete(kept, at, at+1)
	}
	return kept, nil
}

// sizeOf is how many bytes an entry takes in the object.
func sizeOf(removal *v1alpha1.Removal) int {
	data, _ := json.Marshal(removal) // what has been read from JSON can be written
	return len(data)
}

// repeated returns the oldest entry that a later one differs from in its time and UID alone, -1 when there is none. Nobody
// misses it: accounts count once, and a manifest that comes and goes a thousand times must not fill the record for all others.
func repeated(removals []v1alpha1.Removal) int {
	last := map[v1alpha1.Removal]int{}
	for n, removal := range removals {
		removal.Time, removal.UID = metav1.Time{}, ""
		last[removal] = n
	}
	for n, removal := range removals {
		removal.Time, removal.UID = metav1.Time{}, ""
		if last[removal] > n {
			return n
		}
	}
	return -1
}

// leastMissed returns the entry to drop first: the oldest of the namespace whose entries take the most room, so that one tenant
// can't cost another the way back to his accounts. -1 when all lie within the guard's window.
func leastMissed(removals []v1alpha1.Removal, g rules.Guard, now time.Time) int {
	room := map[string]int{}
	for n := range removals {
		room[removals[n].Namespace] += sizeOf(&removals[n])
	}
	at := -1
	for n := range removals {
		if !g.Holds(&removals[n], now) && (at < 0 || room[removals[n].Namespace] > room[removals[at].Namespace]) {
			at = n
		}
	}
	return at
}

// recorded tells whether just this removal has been written down already, by a pass that stopped after it. One that lets
// the MFAUser go happens once in its life, whatever the clocks of the manager and the API server say; others are the same
// within an hour.
func recorded(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, id mfaclient.AccountID, action v1alpha1.RemovalAction, released bool, now time.Time) bool {
	return slices.ContainsFunc(conn.Status.Removals, func(removal v1alpha1.Removal) bool {
		if !rules.IsOf(&removal, user) || removal.AccountID != string(id) || removal.Action != action || removal.Released != released {
			return false
		}
		// That of an earlier life, which has given the account back, is another one.
		return removal.UID == user.UID && (released || now.Sub(removal.Time.Time) <= removalRepeat)
	})
}
