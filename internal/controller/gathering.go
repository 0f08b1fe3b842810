package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// gatherFor is how long a removal waits for those that are asked for with it. Manifests arrive one by one, and the guard is
// to know of a deleted namespace before its first account is blocked.
const gatherFor = 3 * time.Second

// gather lets a removal wait until the others have arrived that were asked for with it. It comes before the first remote
// call for the removal, writes nothing, and keeps nobody whose manifest takes nothing away.
func (r *UserReconciler) gather(_ context.Context, s *scope) error {
	if !rules.AwaitsRemoval(s.user) {
		r.gathering.forget(s.user.UID)
		return nil
	}
	if wait := r.gathering.since(s.user.UID, s.now).Add(r.gatherFor).Sub(s.now); wait > 0 {
		return &outcome{class: classQuiet, after: wait}
	}
	return nil
}

// gathering remembers since when which users ask for a removal. A restart begins anew.
type gathering struct {
	mu     sync.Mutex
	byUser map[types.UID]time.Time
}

func newGathering() *gathering { return &gathering{byUser: map[types.UID]time.Time{}} }

func (g *gathering) since(user types.UID, now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, known := g.byUser[user]
	if !known {
		at = now
		g.byUser[user] = at
	}
	return at
}

func (g *gathering) forget(user types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byUser, user)
}
