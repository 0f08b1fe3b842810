package controller

import (
	"context"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

const (
	// rejectedProbeEvery is how often a token that the service refuses is tried again.
	rejectedProbeEvery = 5 * time.Minute
	// probeBackoffMin and probeBackoffMax bound the delay after other failures; it doubles with each.
	probeBackoffMin = 5 * time.Second
	probeBackoffMax = 5 * time.Minute
	// countsEvery is how often account counts are written at most.
	countsEvery = time.Minute
)

// probeState is when a connection lists next, and how the last listings went.
type probeState struct {
	next     time.Time
	failures int
	lastErr  error
	// forced asks for a listing whatever the age of the picture: the token is new, or in doubt.
	forced bool
	// countsWritten and countsDue space the writes of account counts.
	countsWritten, countsDue time.Time
}

// list takes a listing when it is due. Between two it returns the last one's outcome, so that a pass for another reason
// neither hammers the service nor hides a failure.
func (r *ConnectionReconciler) list(ctx context.Context, s *connectionScope) error {
	conn := s.conn
	conn.mu.Lock()
	probes, claims := conn.probes, conn.claims
	conn.mu.Unlock()
	if due := probes.forced || s.requested || !s.now.Before(probes.next); !due {
		if probes.lastErr == nil {
			recordService(s.object, claims) // the pass that listed may have lost the lock of its status
		}
		return probes.lastErr
	}

	s.listed = true
	after := s.now.Add(-interval(s.object))
	if probes.forced || s.requested || probes.lastErr != nil {
		after = s.now
	}
	err := conn.inventory.Refresh(ctx, after)
	if ctx.Err() != nil {
		return err
	}

	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.probes.forced, conn.probes.lastErr = false, err
	if err == nil {
		conn.probes.failures = 0
		conn.probes.next = conn.inventory.Begun().Add(interval(s.object))
		recordService(s.object, conn.claims)
		return nil
	}
	conn.probes.failures++
	conn.probes.next = s.now.Add(probeDelay(err, conn.probes.failures, interval(s.object), r.jitter))
	return err
}

// recordService notes which service the connection leads to. Only a token that works says so.
func recordService(object *v1alpha1.MFAConnection, claims mfaclient.Claims) {
	if claims.ServiceID != "" {
		object.Status.ServiceID = claims.ServiceID
	}
}

// probeDelay is how long to wait after a failed listing.
func probeDelay(err error, failures int, interval time.Duration, jitter func(time.Duration) time.Duration) time.Duration {
	e := asClientError(err)
	switch kindOf(e) {
	case mfaclient.KindUnauthenticated, mfaclient.KindDenied:
		return rejectedProbeEvery
	case mfaclient.KindRateLimited:
		return max(e.RetryAfter, time.Second)
	}
	delay := min(probeBackoffMin<<min(failures-1, 10), probeBackoffMax)
	delay += jitter(delay / 10)
	// Errors are slower than successes.
	return max(delay, min(interval, probeBackoffMax))
}

// countAccounts writes the counts when they have changed, at most once a minute.
func (r *ConnectionReconciler) countAccounts(s *connectionScope) {
	conn := s.conn
	if conn.inventory.Begun().IsZero() {
		return
	}
	counts := &v1alpha1.AccountCounts{Total: int32(conn.inventory.Len()), Managed: int32(len(r.managedAccounts(conn.key)))}
	for state, n := range conn.inventory.CountByState() {
		if counts.ByState == nil {
			counts.ByState = map[v1alpha1.AccountState]int32{}
		}
		counts.ByState[rules.State(state)] += int32(n)
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.probes.countsDue = time.Time{}
	if sameCounts(s.object.Status.Accounts, counts) {
		return
	}
	if due := conn.probes.countsWritten.Add(countsEvery); s.now.Before(due) {
		conn.probes.countsDue = due
		return
	}
	conn.probes.countsWritten = s.now
	s.object.Status.Accounts = counts
}

func sameCounts(a, b *v1alpha1.AccountCounts) bool {
	if a == nil || a.Total != b.Total || a.Managed != b.Managed || len(a.ByState) != len(b.ByState) {
		return false
	}
	for state, n := range a.ByState {
		if b.ByState[state] != n {
			return false
		}
	}
	return true
}
