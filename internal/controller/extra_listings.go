package controller

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

const (
	// extraEvery and extraBurst bound the listings that users need besides those of the interval: a thousand users
	// annotated in a row, or an outage with a thousand unclear creations, must not make a thousand listings.
	extraEvery = 30 * time.Second
	extraBurst = 3
)

// extraListings gives out the listings that users need besides those of the interval. Safe for concurrent use.
type extraListings struct {
	mu      sync.Mutex
	limiter *rate.Limiter
	// asked is when each request by hand was first seen: a listing begun later serves it, whoever took that.
	asked map[types.UID]askedListing
}

type askedListing struct {
	request string
	at      time.Time
}

// wait returns how long the next extra listing has to wait; 0 gives it to the caller.
func (e *extraListings) wait(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.limiter == nil {
		e.limiter = rate.NewLimiter(rate.Every(extraEvery), extraBurst)
	}
	turn := e.limiter.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

// firstSeen returns when a user's request was seen first.
func (e *extraListings) firstSeen(uid types.UID, request string, now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, ok := e.asked[uid]; ok && known.request == request {
		return known.at
	}
	if e.asked == nil {
		e.asked = map[types.UID]askedListing{}
	}
	e.asked[uid] = askedListing{request, now}
	return now
}

// forget drops what is remembered of a user that asks no more.
func (e *extraListings) forget(uid types.UID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.asked, uid)
}

// listedSince makes sure that the picture comes from a listing begun after the given time. When another would have to be
// taken too soon after the last ones, the pass ends, and goes on when there is one: by then others may have taken it. A
// user that waits keeps what it says: why it needs a listing matters more than that it waits for one.
func (r *UserReconciler) listedSince(ctx context.Context, s *scope, after time.Time) error {
	if s.conn.inventory.Begun().After(after) {
		return s.conn.inventory.Refresh(ctx, after)
	}
	wait := s.conn.extra.wait(s.now)
	switch {
	case wait <= 0:
		return s.conn.inventory.Refresh(ctx, after)
	case readyOf(s.user.Status.Conditions).Status != "":
		return &outcome{class: classQuiet, after: wait}
	}
	return waitingFor(v1alpha1.ReasonProgressing, "a fresh listing of the accounts is needed; it is shared with others who need one", wait)
}

// listedOnRequest gives a request by hand a listing begun after it.
func (r *UserReconciler) listedOnRequest(ctx context.Context, s *scope) error {
	if s.requested == "" {
		s.conn.extra.forget(s.user.UID)
		return nil
	}
	return r.listedSince(ctx, s, s.conn.extra.firstSeen(s.user.UID, s.requested, s.now))
}
