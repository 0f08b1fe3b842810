package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	lookEvery = 250 * time.Millisecond // looking at the metrics costs the manager something, so not too often
	sayEvery  = 5 * time.Second
)

// progress tells on stderr what is going on.
type progress struct{ start time.Time }

func newProgress() progress { return progress{time.Now()} }

func (p progress) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...))
}

// wait looks until something is done, and says now and then how far it is. It fails after limit.
func (p progress) wait(ctx context.Context, what string, limit time.Duration, look func() (done bool, state string, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	said := time.Now()
	for {
		done, state, err := look()
		if done || err != nil {
			return err
		}
		if time.Since(said) >= sayEvery {
			said = time.Now()
			p.say("%s: %s", what, state)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %s: %w", what, state, ctx.Err())
		}
	}
}
