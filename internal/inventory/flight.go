package inventory

import (
	"context"
	"sync"
	"time"
)

// flights lets one listing run at a time and shares it with everybody whom it can serve.
type flights struct {
	mu      sync.Mutex
	current *flight
	last    *flight // the newest that has landed
	begun   int     // how many there have been
}

// flight is one listing under way.
type flight struct {
	number int // counted from 1: where the clock stands still between two flights, the number tells which is later
	begun  time.Time
	done   chan struct{}

	// What came of it; to be read once done is closed.
	err error
	// abandoned is set when the outcome says nothing to others: whoever flew it was cancelled, or the service replaced.
	abandoned bool
}

// Refresh returns once the picture comes from a listing by the present service that began after the given time, or after
// this call, whatever the clock says. Callers share the listing in flight when it began late enough; else one of them
// begins the next. It returns the listing's error, or ctx's; a caller that is cancelled fails nobody else.
func (i *Inventory) Refresh(ctx context.Context, after time.Time) error {
	asked := i.flights.count()
	for {
		f, mine := i.flights.board(asked, func() bool { return i.freshSince(after) }, i.opts.Clock.Now)
		switch {
		case f == nil:
			return nil
		case mine:
			i.fly(ctx, f)
		default:
			select {
			case <-f.done:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		switch {
		case f.abandoned:
			if err := ctx.Err(); err != nil {
				return err
			}
		case f.number > asked || f.begun.After(after):
			return f.err
		}
	}
}

// fly takes the listing of a flight that this caller has begun.
func (i *Inventory) fly(ctx context.Context, f *flight) {
	// It lands also when something panics: a reconciler survives that, and nobody may wait for this flight for ever.
	f.abandoned = true
	defer i.flights.land(f)
	service, term := i.present()
	f.err = i.list(ctx, service, f.begun, term)
	_, now := i.present()
	f.abandoned = now != term || f.err != nil && ctx.Err() != nil
}

func (f *flights) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.begun
}

// board returns a flight begun since the caller asked, which may have landed; else the one in the air; else begins one
// that the caller has to fly. It returns none when there is no need any more.
func (f *flights) board(asked int, fresh func() bool, now func() time.Time) (boarded *flight, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case fresh(): // asked under the lock, or a flight that lands just now would be flown once more
		return nil, false
	case f.last != nil && f.last.number > asked && !f.last.abandoned:
		return f.last, false
	case f.current != nil:
		return f.current, false
	}
	f.begun++
	f.current = &flight{number: f.begun, begun: now(), done: make(chan struct{})}
	return f.current, true
}

func (f *flights) land(landed *flight) {
	f.mu.Lock()
	f.current, f.last = nil, landed
	f.mu.Unlock()
	close(landed.done)
}
