package inventory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// shifter makes and deletes accounts at random while pages are read, four of each at most per listing.
type shifter struct {
	dice *rand.Rand
	next int
	// ever holds every account there has been.
	ever map[mfaclient.AccountID]bool
}

func (s *shifter) shift(f *fakeService) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range s.dice.IntN(3) {
		if n := len(f.accounts); s.dice.IntN(2) == 0 {
			s.next++
			f.accounts = slices.Insert(f.accounts, s.dice.IntN(n+1), account(s.next))
			s.ever[id(s.next)] = true
		} else if n > 0 {
			at := s.dice.IntN(n)
			f.accounts = slices.Delete(f.accounts, at, at+1)
		}
	}
}

// newShifting is a world whose pages hold five accounts; every second account is managed.
func newShifting(t *testing.T, seed uint64) (*world, *shifter) {
	t.Helper()
	w := newWorld(t, 0)
	s := &shifter{dice: rand.New(rand.NewPCG(seed, 0)), next: 40 + int(seed%20), ever: map[mfaclient.AccountID]bool{}}
	w.service.pageSize = 5
	for k := 1; k <= s.next; k++ {
		w.service.add(account(k))
		s.ever[id(k)] = true
		if k%2 == 0 {
			w.hold(id(k))
		}
	}
	return w, s
}

// shiftDuring makes the first three pages of the next listing shift, and none of those after it.
func (w *world) shiftDuring(s *shifter) {
	w.service.beforePage = func(page int) error {
		if page > 0 && page <= 3 {
			s.shift(w.service)
		}
		return nil
	}
	w.list()
	w.service.beforePage = nil
}

// settle does what the holders of missing accounts do, and checks the verdicts against the service.
func (w *world) settle() {
	for id := range w.managed {
		exists := w.service.index(id) >= 0
		_, shown := w.ByID(id)
		w.Expect(shown || w.Missing(id)).To(BeTrue(), "account %s is lost without a word", id)
		if !w.Missing(id) {
			continue
		}
		gone, wait := w.verdict(id)
		w.Expect(gone).To(BeFalse(), "account %s has not been missed for a minute", id)
		w.Expect(wait > 0).To(Equal(!exists), "account %s", id)
		w.Expect(w.Missing(id)).To(Equal(!exists), "account %s", id)
	}
	for _, a := range w.service.accounts {
		if _, managed := w.managed[a.ID]; managed {
			w.Expect(w.seen(a.ID)).To(Equal(a))
			w.Expect(w.holder(a.Login)).To(Equal(a.ID))
		}
	}
}

// expectNobodyInvented counts what the picture holds: each account once, and none that never was.
func (w *world) expectNobodyInvented(s *shifter) {
	found := 0
	for id := range s.ever {
		if _, ok := w.ByID(id); ok {
			found++
		}
	}
	w.Expect(w.Len()).To(Equal(found))
}

func TestAShiftingListingLosesAndDuplicatesNothing(t *testing.T) {
	shown, missing := 0, 0
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w, s := newShifting(t, seed)
			if seed%3 > 0 { // every third one shifts during its first listing, as after a restart
				w.list()
			}
			for range 3 {
				w.shiftDuring(s)
				for id := range w.managed {
					if w.Missing(id) && w.service.index(id) >= 0 {
						missing++
					}
				}
				shown += w.Len()
				w.settle()
				w.expectNobodyInvented(s)
			}
			w.expectTheTruthInTheEnd()
		})
	}
	NewWithT(t).Expect(missing).To(BeNumerically(">", 100), "or the test shows nothing (of %d)", shown)
}

// expectTheTruthInTheEnd lists in peace, waits until every absence is settled, and compares.
func (w *world) expectTheTruthInTheEnd() {
	w.step(2 * grace)
	w.list()
	for id := range w.managed {
		if w.Missing(id) {
			w.verdict(id)
			w.step(grace)
			gone, _ := w.verdict(id)
			w.Expect(gone).To(BeTrue())
		}
	}
	w.Expect(w.Len()).To(Equal(len(w.service.accounts)))
	for _, a := range w.service.accounts {
		w.Expect(w.seen(a.ID)).To(Equal(a))
		w.Expect(w.holder(a.Login)).To(Equal(a.ID))
	}
}
