package inventory_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// lose makes the next listings lack the first n accounts, which exist all the same.
func (w *world) lose(n, listings int) {
	w.service.answer = func(page int, honest mfaclient.AccountPage) mfaclient.AccountPage {
		if w.service.listings > listings {
			return honest
		}
		for k := len(honest.Accounts) - 1; k >= 0; k-- {
			if page*100+k < n {
				honest.Accounts = append(honest.Accounts[:k], honest.Accounts[k+1:]...)
			}
		}
		return honest
	}
}

func TestHowManyMayBeMissing(t *testing.T) {
	const forEver = 1000
	cases := map[string]struct {
		managed, missing int
		listings         int // read until this many
		believed         bool
		calls            int
	}{
		"10 of 50":                  {50, 10, forEver, true, 1},
		"11 of 50":                  {50, 11, forEver, false, 2},
		"11 of 50, then the rest":   {50, 11, 2, true, 2},
		"15 of 300: 5 %":            {300, 15, forEver, true, 1},
		"16 of 300":                 {300, 16, forEver, false, 2},
		"all of 11":                 {11, 11, forEver, false, 2},
		"the listing is empty":      {3, 3, forEver, false, 2},
		"it was empty once":         {3, 3, 2, true, 2},
		"one of two":                {2, 1, forEver, true, 1},
		"nothing":                   {300, 0, forEver, true, 1},
		"nothing, and none managed": {0, 0, forEver, true, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, tc.managed)
			begun := w.Begun()
			w.lose(tc.missing, tc.listings)
			w.step(1)
			err := w.tryList()
			w.Expect(w.service.listings - 1).To(Equal(tc.calls))
			w.Expect(w.Len()).To(Equal(tc.managed), "nothing is lost either way")
			if tc.believed {
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(w.Begun()).NotTo(Equal(begun))
				return
			}
			w.Expect(err).To(MatchError(inventory.ErrListingIncomplete))
			w.Expect(w.Begun()).To(Equal(begun))
			w.Expect(w.Missing(id(1))).To(BeFalse(), "nothing is concluded")
			w.Expect(w.takeChanges()).To(BeEmpty())
		})
	}
}

// Many accounts have really been removed by somebody else.
func TestASpotCheckBearsOutAListing(t *testing.T) {
	w := listed(t, 100)
	for k := 1; k <= 40; k++ {
		w.service.remove(id(k))
	}
	w.list()
	w.Expect(w.service.listings).To(Equal(3))
	w.Expect(w.service.gets).To(HaveLen(10))
	w.Expect(w.Missing(id(1))).To(BeTrue())
	w.Expect(w.takeChanges()).To(HaveLen(40))
	w.verdict(id(1))
	w.list()
	w.Expect(w.service.listings).To(Equal(5), "39 are still to be confirmed")
}

func TestASpotCheckThatFindsOneIsEnough(t *testing.T) {
	w := listed(t, 100)
	w.lose(40, 1000)
	w.step(1)
	w.Expect(w.tryList()).To(MatchError(inventory.ErrListingIncomplete))
	w.Expect(w.service.gets).To(HaveLen(1))
}

func TestASpotCheckThatIsNotAnswered(t *testing.T) {
	cases := map[mfaclient.Kind]types.GomegaMatcher{
		mfaclient.KindUnavailable: WithTransform(mfaclient.KindOf, Equal(mfaclient.KindUnavailable)),
		mfaclient.KindDenied:      MatchError(inventory.ErrListingIncomplete), // it may be there; the token itself lists well
	}
	for kind, want := range cases {
		t.Run(kind.String(), func(t *testing.T) {
			w := listed(t, 100)
			w.lose(40, 1000)
			w.service.getErr = fault(kind)
			w.step(1)
			w.Expect(w.tryList()).To(want)
			w.Expect(w.Missing(id(1))).To(BeFalse())
		})
	}
}

// A token of another service lists well, and knows none of the accounts: 404 proves nothing there.
func TestWhenAllAreMissingAnswersProveNothing(t *testing.T) {
	w := listed(t, 20)
	w.Use(&fakeService{accounts: []mfaclient.Account{account(500), account(501)}})
	w.step(1)
	w.Expect(w.tryList()).To(MatchError(inventory.ErrListingIncomplete))
	w.Expect(w.Len()).To(Equal(20))

	w.Use(w.service)
	w.list()
	w.Expect(w.takeChanges()).To(BeEmpty())
}

// Nor are a few accounts believed to be gone when they are all missing since the token was replaced.
func TestAllMissingUnderAnotherToken(t *testing.T) {
	cases := map[string]struct {
		managed, missing int
		believed         bool
	}{
		"the only one": {1, 1, true},
		"both":         {2, 2, false},
		"one of two":   {2, 1, true},
		"all of ten":   {10, 10, false},
		"nine of ten":  {10, 9, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, tc.managed)
			other := &fakeService{accounts: []mfaclient.Account{account(500), account(501)}}
			for n := tc.missing + 1; n <= tc.managed; n++ {
				other.add(account(n))
			}
			w.Use(other)
			w.step(1)
			err := w.tryList()
			w.Expect(w.Missing(id(1))).To(Equal(tc.believed))
			if tc.believed {
				w.Expect(err).NotTo(HaveOccurred())
				return
			}
			w.Expect(err).To(MatchError(inventory.ErrListingIncomplete))
			w.Expect(w.tryList()).To(MatchError(inventory.ErrListingIncomplete), "nor later")
			w.Use(w.service)
			w.list()
			w.Expect(w.takeChanges()).To(BeEmpty())
		})
	}
}

// The same after a restart, when there is no picture to compare with, only what the cluster holds.
func TestASuspectFirstListing(t *testing.T) {
	for name, lost := range map[string]int{"some": 30, "all": 100} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 100)
			w.lose(lost, 1000)
			w.step(1)
			w.Expect(w.tryList()).To(MatchError(inventory.ErrListingIncomplete))
			w.Expect(w.Begun()).To(BeZero(), "still no picture")
			w.Expect(w.Len()).To(BeZero())
			w.service.answer = nil
			w.list()
			w.Expect(w.Len()).To(Equal(100))
		})
	}
}

func TestAnEmptyServiceIsBelievedWhenItsAccountsAreNotFound(t *testing.T) {
	w := listed(t, 2)
	w.service.remove(id(1), id(2))
	w.list()
	w.Expect(w.service.listings).To(Equal(3))
	w.Expect(w.Missing(id(1))).To(BeTrue())
}

// Foreign accounts count as well: their logins must not look free.
func TestAnEmptyListingIsNotBelievedWhenNobodyManagesAnything(t *testing.T) {
	w := newWorld(t, 30)
	w.managed = nil
	w.list()
	w.lose(30, 1000)
	w.step(1)
	w.Expect(w.tryList()).To(MatchError(inventory.ErrListingIncomplete))
	w.Expect(w.holder(login(7))).To(Equal(id(7)))
}

// Accounts already known to be gone do not make the next listing suspect.
func TestConfirmedAbsencesAreNotCounted(t *testing.T) {
	w := listed(t, 50)
	for k := 1; k <= 10; k++ {
		w.service.remove(id(k))
	}
	w.list()
	for k := 1; k <= 10; k++ {
		w.verdict(id(k))
	}
	for k := 11; k <= 20; k++ {
		w.service.remove(id(k))
	}
	listings := w.service.listings
	w.list()
	w.Expect(w.service.listings - listings).To(Equal(1))
}
