package mfaclient

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

// maxPause bounds every pause: a service that asks for more is asked again after an hour.
const maxPause = time.Hour

// maxBackoff bounds the pauses that grow by themselves.
const maxBackoff = 5 * time.Minute

// Gate lets calls to one service through: not too fast, and not at all while the service asked for quiet. It outlives
// clients, so that a rotated token does not forget a pause.
type Gate struct {
	clock   clock.Clock
	limiter *rate.Limiter

	mu    sync.Mutex
	until time.Time // end of the pause
	// strikes counts, by operation, the pauses since that call last went well.
	strikes map[string]int
}

// NewGate makes a gate. No limit holds when requestsPerSecond is 0 or less; a burst is at least 1.
func NewGate(clk clock.Clock, requestsPerSecond float64, burst int) *Gate {
	return &Gate{clock: clk, strikes: map[string]int{}, limiter: rate.NewLimiter(limit(requestsPerSecond), max(burst, 1))}
}

func limit(requestsPerSecond float64) rate.Limit {
	if requestsPerSecond <= 0 {
		return rate.Inf
	}
	return rate.Limit(requestsPerSecond)
}

// SetLimit changes the limits for the calls to come, with the same rules as NewGate.
func (g *Gate) SetLimit(requestsPerSecond float64, burst int) {
	now := g.clock.Now()
	g.limiter.SetLimitAt(now, limit(requestsPerSecond))
	g.limiter.SetBurstAt(now, max(burst, 1))
}

// Wait blocks until the limiter has a turn, or ctx ends. While the gate is paused it fails at once, with an *Error of
// KindRateLimited: nobody blocks a worker for an hour.
func (g *Gate) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := g.pausedError(); err != nil {
		return err
	}
	now := g.clock.Now()
	turn := g.limiter.ReserveN(now, 1)
	if delay := turn.DelayFrom(now); delay > 0 {
		timer := g.clock.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C():
		case <-ctx.Done():
			turn.CancelAt(g.clock.Now())
			return ctx.Err()
		}
	}
	// The service may have asked for quiet while we queued.
	return g.pausedError()
}

func (g *Gate) pausedError() error {
	if rest := g.PausedFor(); rest > 0 {
		return &Error{Kind: KindRateLimited, RetryAfter: rest, Reason: reasonPaused}
	}
	return nil
}

// slowDown pauses because the service asked for quiet, for as long as it said or longer: of pauses in a row without a
// good call of the same kind between them each lasts twice as long, up to five minutes. An outage must not cost a call every
// few seconds, also when it is one of writes alone.
func (g *Gate) slowDown(operation string, asked time.Duration) {
	g.mu.Lock()
	if !g.until.After(g.clock.Now()) { // the calls that were under way together count as one
		g.strikes[operation]++
	}
	if n := g.strikes[operation]; n > 1 {
		asked = max(asked, min(defaultPause<<min(n-1, 10), maxBackoff))
	}
	g.mu.Unlock()
	g.Pause(asked)
}

// wentWell notes a good call.
func (g *Gate) wentWell(operation string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.strikes, operation)
}

// Pause stops all calls for d from now, at most an hour. Of several pauses the one that ends last wins.
func (g *Gate) Pause(d time.Duration) {
	until := g.clock.Now().Add(min(d, maxPause))
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
	}
}

// PausedFor returns the rest of the pause, 0 when there is none.
func (g *Gate) PausedFor() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	// Bounded above as well, in case the clock was set back.
	return min(max(g.until.Sub(g.clock.Now()), 0), maxPause)
}

// Resume ends the pause.
func (g *Gate) Resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = time.Time{}
}
