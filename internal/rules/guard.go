package rules

import (
	"slices"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// Guard is the brake on mass removals, changeGuard. It counts the accounts that lost their access within the window and
// those that are to lose it now, and above the limit lets none go: a namespace deleted by accident stops before its first
// account and not after its tenth.
type Guard struct {
	Limit  int
	Window time.Duration
}

// Accounts is a set of account ids.
type Accounts map[string]struct{}

// GuardOf is the guard that a connection states, with the defaults of the API where it says nothing.
func GuardOf(conn *v1alpha1.MFAConnection) Guard {
	g := Guard{Limit: 10, Window: time.Hour}
	if limit := conn.Spec.ChangeGuard.MaxRemovals; limit != nil {
		g.Limit = int(*limit)
	}
	if window := conn.Spec.ChangeGuard.Window.Duration; window > 0 {
		g.Window = window
	}
	return g
}

// Holds tells whether a removal counts within the window. Such a removal is never dropped from the record.
func (g Guard) Holds(removal *v1alpha1.Removal, now time.Time) bool {
	return removal.Action != v1alpha1.RemovalKeep && now.Sub(removal.Time.Time) < g.Window
}

// Opens says when the accounts asked for may go: now, once enough earlier removals have left the window, or not by the
// passing of time.
func (g Guard) Opens(removals []v1alpha1.Removal, asked Accounts, now time.Time) (at time.Time, ever bool) {
	newest := map[string]time.Time{}
	for n := range removals {
		removal := &removals[n]
		if _, again := asked[removal.AccountID]; !again && g.Holds(removal, now) {
			newest[removal.AccountID] = removal.Time.Time // they stand in order
		}
	}
	excess := len(asked) + len(newest) - g.Limit
	switch {
	case excess <= 0:
		return now, true
	case excess > len(newest):
		return time.Time{}, false
	}
	leave := make([]time.Time, 0, len(newest))
	for _, last := range newest {
		leave = append(leave, last.Add(g.Window))
	}
	slices.SortFunc(leave, time.Time.Compare)
	return leave[excess-1], true
}
