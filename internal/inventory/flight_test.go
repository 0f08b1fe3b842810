package inventory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// runway holds listings at their first page until they are let go.
type runway struct{ arrived, release chan struct{} }

func holdListings(f *fakeService) runway {
	r := runway{arrived: make(chan struct{}, 100), release: make(chan struct{})}
	f.beforePage = func(page int) error {
		if page == 0 {
			r.arrived <- struct{}{}
			<-r.release
		}
		return nil
	}
	return r
}

// refreshers starts n callers and returns where their results come.
func refreshers(ctx context.Context, w *world, n int, after time.Time) chan error {
	results := make(chan error, n)
	for range n {
		go func() { results <- w.Refresh(ctx, after) }()
	}
	return results
}

func (w *world) expectAll(results chan error, n int, match types.GomegaMatcher) {
	for range n {
		w.Expect(<-results).To(match)
	}
}

func TestConcurrentCallersShareOneListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 250)
		r := holdListings(w.service)
		results := refreshers(t.Context(), w, 50, start.Add(-time.Second))
		synctest.Wait()
		w.Expect(results).To(BeEmpty())
		close(r.release)
		w.expectAll(results, 50, Succeed())
		w.Expect(w.service.pages).To(Equal(3))
		w.Expect(w.Len()).To(Equal(250))
	})
}

func TestALaterCallerGetsTheNextListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		r := holdListings(w.service)
		early := refreshers(t.Context(), w, 3, start.Add(-time.Second))
		<-r.arrived
		synctest.Wait()
		w.step(time.Second)
		late := refreshers(t.Context(), w, 20, w.clock.Now())
		synctest.Wait()
		w.step(time.Second)

		r.release <- struct{}{}
		w.expectAll(early, 3, Succeed())
		<-r.arrived
		synctest.Wait()
		w.Expect(late).To(BeEmpty(), "the first listing is too old for them")

		r.release <- struct{}{}
		w.expectAll(late, 20, Succeed())
		w.Expect(w.service.listings).To(Equal(2))
		w.Expect(w.Begun()).To(Equal(start.Add(2 * time.Second)))
	})
}

func TestAPictureThatIsYoungEnoughCostsNothing(t *testing.T) {
	w := listed(t, 5)
	w.Expect(w.Refresh(t.Context(), w.Begun().Add(-time.Nanosecond))).To(Succeed())
	w.Expect(w.service.listings).To(Equal(1))
	w.Expect(w.Refresh(t.Context(), w.Begun())).To(Succeed(), "begun at that time is not after it")
	w.Expect(w.service.listings).To(Equal(2))
}

// With a clock that stands still no listing begins after the time asked for, yet one that begins after the call does.
func TestAFrozenClockDoesNotLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		r := holdListings(w.service)
		first := refreshers(t.Context(), w, 1, start)
		<-r.arrived
		others := refreshers(t.Context(), w, 30, start)
		synctest.Wait()
		close(r.release)
		w.expectAll(first, 1, Succeed())
		w.expectAll(others, 30, Succeed())
		w.Expect(w.service.listings).To(Equal(2), "one for the first caller, one for all that came while it was under way")
	})
}

func TestATimeAheadOfTheClockCostsOneListing(t *testing.T) {
	w := newWorld(t, 5)
	w.Expect(w.Refresh(t.Context(), start.Add(time.Hour))).To(Succeed())
	w.Expect(w.service.listings).To(Equal(1))
}

func TestAFailureIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		arrived, release := make(chan struct{}), make(chan error)
		w.service.beforePage = func(int) error { arrived <- struct{}{}; return <-release }
		results := refreshers(t.Context(), w, 20, start.Add(-time.Second))
		<-arrived
		synctest.Wait()
		release <- fault(mfaclient.KindUnavailable)
		w.expectAll(results, 20, WithTransform(mfaclient.KindOf, Equal(mfaclient.KindUnavailable)))
		w.Expect(w.service.listings).To(Equal(1))
		w.Expect(w.Begun()).To(BeZero())
	})
}

func TestACancelledCallerFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		cancelled, cancel := context.WithCancel(t.Context())
		arrived := make(chan struct{}, 1)
		w.service.beforePage = func(int) error {
			arrived <- struct{}{}
			<-cancelled.Done()
			w.service.beforePage = nil // the next listing goes through
			return errors.Join(fault(mfaclient.KindUnavailable), cancelled.Err())
		}
		pilot := refreshers(cancelled, w, 1, start.Add(-time.Second))
		<-arrived
		waiting := refreshers(t.Context(), w, 10, start.Add(-time.Second))
		synctest.Wait()
		cancel()
		w.expectAll(pilot, 1, MatchError(context.Canceled))
		w.expectAll(waiting, 10, Succeed())
		w.Expect(w.service.listings).To(Equal(2))
	})
}

func TestACancelledWaiterLeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		r := holdListings(w.service)
		pilot := refreshers(t.Context(), w, 1, start.Add(-time.Second))
		<-r.arrived
		ctx, cancel := context.WithCancel(t.Context())
		waiter := refreshers(ctx, w, 1, start.Add(-time.Second))
		synctest.Wait()
		cancel()
		w.expectAll(waiter, 1, MatchError(context.Canceled))
		close(r.release)
		w.expectAll(pilot, 1, Succeed())
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		arrived, release := make(chan struct{}), make(chan struct{})
		w.service.beforePage = func(int) error {
			arrived <- struct{}{}
			<-release
			w.service.beforePage = nil
			panic("a bug")
		}
		recovered := make(chan any, 1)
		go func() {
			defer func() { recovered <- recover() }()
			_ = w.Refresh(t.Context(), start.Add(-time.Second))
		}()
		<-arrived
		waiting := refreshers(t.Context(), w, 5, start.Add(-time.Second))
		synctest.Wait()
		close(release)
		w.Expect(<-recovered).To(Equal("a bug"))
		w.expectAll(waiting, 5, Succeed())
		w.Expect(w.Len()).To(Equal(5))
	})
}

// What the old token saw proves nothing about the new one: neither that it works nor that it is refused.
func TestAListingOfTheServiceBeforeServesNobody(t *testing.T) {
	t.Run("under way", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 5)
			arrived, release := make(chan struct{}), make(chan error)
			w.service.beforePage = func(int) error { arrived <- struct{}{}; return <-release }
			old := refreshers(t.Context(), w, 1, start.Add(-time.Second))
			<-arrived
			next := &fakeService{accounts: w.service.accounts}
			w.Use(next)
			rotated := refreshers(t.Context(), w, 5, start.Add(-time.Second))
			synctest.Wait()
			release <- fault(mfaclient.KindUnauthenticated)
			w.expectAll(old, 1, Succeed())
			w.expectAll(rotated, 5, Succeed())
			w.Expect(next.listings).To(Equal(1))
		})
	})
	t.Run("done", func(t *testing.T) {
		w := listed(t, 5)
		next := &fakeService{accounts: w.service.accounts}
		w.Use(next)
		w.Expect(w.Len()).To(Equal(5), "the picture stays")
		w.Expect(w.Refresh(t.Context(), time.Time{})).To(Succeed())
		w.Expect(w.Refresh(t.Context(), time.Time{})).To(Succeed())
		w.Expect(next.listings).To(Equal(1))
	})
}
