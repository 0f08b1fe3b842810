package controller

import (
	"context"
	"sync"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// groupNamesLife is how long the list of groups is believed: they are made by hand in the console and change rarely.
const groupNamesLife = time.Minute

// groupNames remembers the service's groups for a while.
type groupNames struct {
	mu     sync.Mutex
	at     time.Time
	byName map[string]mfaclient.GroupID
	flight *groupFlight // the reading under way
}

// groupFlight is one reading of the groups, shared by all who need it meanwhile.
type groupFlight struct {
	done chan struct{}

	// What came of it; to be read once done is closed.
	byName map[string]mfaclient.GroupID
	err    error
	// abandoned is set when it says nothing to others: whoever read was cancelled.
	abandoned bool
}

type groupLister interface {
	ListGroups(ctx context.Context) ([]mfaclient.Group, error)
}

// lookup returns the groups of the service by name, read at most once a minute. No lock is held over the call: who is
// cancelled goes at once, and fails nobody else.
func (g *groupNames) lookup(ctx context.Context, now time.Time, client groupLister) (map[string]mfaclient.GroupID, error) {
	for {
		f, mine := g.board(now)
		if mine {
			g.fly(ctx, now, client, f)
			return f.byName, f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !f.abandoned {
			return f.byName, f.err
		}
	}
}

// board returns the reading under way, or what is remembered as one that has ended, or a new one for the caller to do.
func (g *groupNames) board(now time.Time) (f *groupFlight, mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.byName != nil && now.Sub(g.at) < groupNamesLife:
		done := make(chan struct{})
		close(done)
		return &groupFlight{done: done, byName: g.byName}, false
	case g.flight != nil:
		return g.flight, false
	}
	g.flight = &groupFlight{done: make(chan struct{})}
	return g.flight, true
}

func (g *groupNames) fly(ctx context.Context, now time.Time, client groupLister, f *groupFlight) {
	// It lands also when something panics: a reconciler survives that, and nobody may wait for ever.
	f.abandoned = true
	defer g.land(now, f)
	groups, err := client.ListGroups(ctx)
	f.err, f.abandoned = err, err != nil && ctx.Err() != nil
	if err != nil {
		return
	}
	f.byName = make(map[string]mfaclient.GroupID, len(groups))
	for _, group := range groups {
		f.byName[group.Name] = group.ID
	}
}

func (g *groupNames) land(now time.Time, f *groupFlight) {
	g.mu.Lock()
	g.flight = nil
	if f.byName != nil {
		g.at, g.byName = now, f.byName
	}
	g.mu.Unlock()
	close(f.done)
}
