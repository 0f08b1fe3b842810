package controller

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// sweepEvery is how often the groups of an account are read though nothing has changed: they are not in the listing.
const sweepEvery = 24 * time.Hour

// syncGroups makes the account's memberships exactly those stated. It reads them when the spec or the account has
// changed, when asked to, and once a day.
func (r *UserReconciler) syncGroups(ctx context.Context, s *scope) error {
	if s.user.Spec.Groups == nil {
		return nil
	}
	if !r.groupChecks.due(s) {
		s.markInSync()
		return nil
	}
	ids, err := s.conn.groups.lookup(ctx, s.now, s.client)
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	if missing := rules.MissingGroup(s.user, ids); missing != "" {
		s.open = true
		s.mark(v1alpha1.ConditionAccountSynced, metav1.ConditionFalse, v1alpha1.ReasonGroupNotFound, "a stated group does not exist in the service")
		return stalledFor(v1alpha1.ReasonGroupNotFound,
			fmt.Sprintf("the group %q does not exist in the service; groups are made in the vendor's console", missing), interval(s.connObject))
	}
	memberships, err := s.client.ListAccountGroups(ctx, s.account.ID)
	if err != nil {
		return r.whenGone(s, err)
	}
	if err := r.writeMemberships(ctx, s, ids, memberships); err != nil {
		return err
	}
	r.groupChecks.checked(s)
	return nil
}

// writeMemberships takes the account out of groups that are not stated and puts it into those that are.
func (r *UserReconciler) writeMemberships(ctx context.Context, s *scope, ids map[string]mfaclient.GroupID, current []mfaclient.Membership) error {
	diff := rules.CompareGroups(s.user, ids, current)
	if diff.Empty() {
		s.markInSync()
		return nil
	}
	if s.observeOnly() {
		s.pending = append(s.pending, "groups")
		s.markInSync()
		return nil
	}
	s.markDiffering([]string{"groups"})
	s.open = true
	if err := r.ownAccount(ctx, s); err != nil {
		return err
	}
	for _, membership := range diff.Leave {
		err := s.client.DeleteMembership(ctx, membership.Group.ID, s.account.ID)
		if err != nil && mfaclient.KindOf(err) != mfaclient.KindNotFound {
			return fmt.Errorf("leave a group: %w", err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(diff.Join)) {
		if err := s.client.PutMembership(ctx, id, s.account.ID, diff.Join[id]); err != nil {
			return fmt.Errorf("join a group: %w", err)
		}
	}
	s.did("Updated", "Update", "wrote groups")
	s.markInSync()
	return nil
}

// groupChecks remembers when the groups of which account were read.
type groupChecks struct {
	mu     sync.Mutex
	byUser map[types.UID]groupCheck
}

type groupCheck struct {
	account mfaclient.Account
	next    time.Time
}

func newGroupChecks() *groupChecks { return &groupChecks{byUser: map[types.UID]groupCheck{}} }

// due tells whether the groups have to be read now. The first sight of a user that was in sync counts as a check, so
// that a restart does not read the groups of everybody.
func (g *groupChecks) due(s *scope) bool {
	g.mu.Lock()
	last, seen := g.byUser[s.user.UID]
	g.mu.Unlock()
	synced := meta.FindStatusCondition(s.base.Status.Conditions, v1alpha1.ConditionAccountSynced)
	settled := synced != nil && synced.Status == metav1.ConditionTrue && synced.ObservedGeneration == s.user.Generation
	if !settled || s.takenUp || s.requested != "" {
		return true
	}
	if !seen {
		g.checked(s)
		return false
	}
	current := *s.account
	current.LastAuthenticated = last.account.LastAuthenticated
	if current != last.account || !s.now.Before(last.next) {
		return true
	}
	s.wakeAt(last.next)
	return false
}

// checked notes that the groups are as stated now, and when to look again: spread over the day by the login.
func (g *groupChecks) checked(s *scope) {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(s.user.Spec.Login))
	offset := time.Duration(hash.Sum64() % uint64(sweepEvery))
	next := s.now.Truncate(sweepEvery).Add(offset)
	for !next.After(s.now) {
		next = next.Add(sweepEvery)
	}
	s.wakeAt(next)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byUser[s.user.UID] = groupCheck{account: *s.account, next: next}
}

// forget drops what is remembered of a user that is gone.
func (g *groupChecks) forget(uid types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byUser, uid)
}
