package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// startLimit bounds what takes seconds, also on a busy machine.
const startLimit = 2 * time.Minute

// workers is how many things the bench client does at once, as many as the manager by default.
const workers = 16

// patience grows with the number of users: nothing takes longer per user, or the figures are of no use.
func (s *stage) patience() time.Duration {
	return startLimit + time.Duration(s.users)*200*time.Millisecond
}

// play measures one phase: its time is what act says, its calls and its window last until the manager has settled.
func (s *stage) play(ctx context.Context, name string, act func(ctx context.Context) (time.Duration, error)) (measured, window, error) {
	s.say("%s", name)
	s.service.sim.ResetCalls()
	w := window{from: time.Now()}
	took, err := act(ctx)
	if err == nil {
		err = s.awaitSettled(ctx)
	}
	if err != nil {
		return measured{}, w, fmt.Errorf("%s: %w", name, err)
	}
	w.to = time.Now()
	s.say("%s: %.1f s, %s", name, took.Seconds(), list(s.service.sim.Calls()))
	return measured{took: took, calls: s.service.sim.Calls()}, w, nil
}

// awaitSettled waits until the manager has nothing left to do.
func (s *stage) awaitSettled(ctx context.Context) error {
	return s.wait(ctx, "settling", s.patience(), func() (bool, string, error) {
		done, err := s.operator.settled(ctx)
		return done, "work is left", err
	})
}

// create applies all manifests, and ends when all users are Ready.
func (s *stage) create(ctx context.Context) (time.Duration, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	users, err := s.watchReadiness(watching)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := eachUser(ctx, s.users, func(ctx context.Context, n int) error { return s.applyManifest(ctx, usersNamespace, n) }); err != nil {
		return 0, err
	}
	s.say("create: all manifests are applied, %d users are ready", users.count())
	err = s.wait(ctx, "create", s.patience(), func() (bool, string, error) {
		ready := users.count()
		return ready == s.users, fmt.Sprintf("%d of %d users are ready", ready, s.users), s.operator.alive()
	})
	return time.Since(start), err
}

// count waits until the connection's status counts all users, which it does once a minute at most. It is played on its own:
// it costs a write per connection, not per user, and would otherwise fall into a later phase.
func (s *stage) count(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	err := s.wait(ctx, "counts", startLimit+2*s.interval, func() (bool, string, error) {
		connection, err := s.connection(ctx)
		if err != nil || connection.Status.Accounts == nil {
			return false, "none", err
		}
		counts := connection.Status.Accounts
		done := int(counts.Total) == s.users && int(counts.Managed) == s.users
		return done, fmt.Sprintf("%d accounts, %d managed", counts.Total, counts.Managed), nil
	})
	return time.Since(start), err
}

// restart starts a manager after the one before has been stopped, and ends when it has settled.
func (s *stage) restart(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	if err := s.startOperator(); err != nil {
		return 0, err
	}
	err := s.awaitListing(ctx, startLimit)
	return time.Since(start), err
}

// idle lasts from one listing to the next.
func (s *stage) idle(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	err := s.awaitListing(ctx, startLimit+2*s.interval)
	return time.Since(start), err
}

// awaitListing waits until a listing has begun since the phase has, and the manager is done with what it showed.
func (s *stage) awaitListing(ctx context.Context, limit time.Duration) error {
	err := s.wait(ctx, "listing", limit, func() (bool, string, error) {
		return s.service.sim.Calls()["ListAccounts"] > 0, "not yet", s.operator.alive()
	})
	if err != nil {
		return err
	}
	return s.awaitSettled(ctx)
}

// drift edits the accounts of every hundredth user, spread over one interval as people's edits are, and ends when all are
// as stated again. It returns how long each took.
func (s *stage) drift(ctx context.Context) (corrected []time.Duration, err error) {
	every := min(100, s.users)
	edited := make([]time.Time, s.users/every)
	ticker := time.NewTicker(s.interval / time.Duration(len(edited)))
	defer ticker.Stop()
	for n := range edited {
		err := s.service.sim.UpdateAccount(login(n*every), func(a *mfasim.Account) { a.LastName = "edited elsewhere" })
		if err != nil {
			return nil, err
		}
		edited[n] = time.Now()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	corrected = make([]time.Duration, len(edited))
	err = s.wait(ctx, "drift", startLimit+2*s.interval, func() (bool, string, error) {
		left := 0
		for n := range edited {
			account, _ := s.service.sim.Account(login(n * every))
			if account.LastName != lastName(n*every) {
				left++
				continue
			}
			corrected[n] = s.service.patchedAt(account.ID.String()).Sub(edited[n])
		}
		return left == 0, fmt.Sprintf("%d of %d accounts are still as edited", left, len(edited)), s.operator.alive()
	})
	return corrected, err
}

// eachUser calls do for each user, as many at once as there are workers.
func eachUser(ctx context.Context, users int, do func(ctx context.Context, n int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for n := range users {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, n) })
	}
	return group.Wait()
}
