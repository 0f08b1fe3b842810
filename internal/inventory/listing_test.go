package inventory_test

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

func TestAListingIsReadToItsEnd(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 200, 1050} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := listed(t, n)
			w.Expect(w.Len()).To(Equal(n))
			w.Expect(w.service.pages).To(Equal(max(1, (n+99)/100)))
			for k := 1; k <= n; k++ {
				w.Expect(w.seen(id(k))).To(Equal(account(k)))
			}
		})
	}
}

func TestAnAccountShownTwiceCountsOnce(t *testing.T) {
	w := newWorld(t, 150)
	w.service.answer = func(page int, honest mfaclient.AccountPage) mfaclient.AccountPage {
		if page == 1 { // an account that came ahead of the boundary pushed the last ones over it
			honest.Accounts = append([]mfaclient.Account{account(99), account(100)}, honest.Accounts...)
		}
		return honest
	}
	w.list()
	w.Expect(w.Len()).To(Equal(150))
	w.Expect(w.CountByState()).To(Equal(map[mfaclient.State]int{mfaclient.StateActivated: 150}))
	w.list()
	w.Expect(w.takeChanges()).To(BeEmpty())
}

func TestListingsThatDoNotEndAreMalformed(t *testing.T) {
	made := 0
	cases := map[string]struct {
		answer func(int, mfaclient.AccountPage) mfaclient.AccountPage
		pages  int
	}{
		"the first page again and again": {
			func(int, mfaclient.AccountPage) mfaclient.AccountPage {
				return mfaclient.AccountPage{Accounts: []mfaclient.Account{account(1), account(2)}, HasMore: true}
			}, 2,
		},
		"an empty page with more to follow": {
			func(int, mfaclient.AccountPage) mfaclient.AccountPage { return mfaclient.AccountPage{HasMore: true} }, 1,
		},
		"new accounts for ever": {
			func(int, mfaclient.AccountPage) mfaclient.AccountPage {
				made++
				return mfaclient.AccountPage{Accounts: []mfaclient.Account{account(10 + made)}, HasMore: true}
			}, 5000,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 3)
			begun, pages := w.Begun(), w.service.pages
			w.service.answer = tc.answer
			w.step(1)
			w.Expect(mfaclient.KindOf(w.tryList())).To(Equal(mfaclient.KindMalformed))
			w.Expect(w.service.pages - pages).To(Equal(tc.pages))
			w.Expect(w.Begun()).To(Equal(begun), "the picture stays")
			w.Expect(w.Len()).To(Equal(3))
			w.Expect(w.takeChanges()).To(BeEmpty())
		})
	}
}

func TestAFailureOnALaterPageChangesNothing(t *testing.T) {
	w := listed(t, 250)
	w.service.remove(id(1))
	w.service.beforePage = func(page int) error {
		if page == 2 {
			return fault(mfaclient.KindUnavailable)
		}
		return nil
	}
	w.step(1)
	w.Expect(mfaclient.KindOf(w.tryList())).To(Equal(mfaclient.KindUnavailable))
	w.Expect(w.seen(id(1))).To(Equal(account(1)))
	w.Expect(w.Missing(id(1))).To(BeFalse())
	w.Expect(w.takeChanges()).To(BeEmpty())
}

func TestCountsOfRoles(t *testing.T) {
	w := newWorld(t, 5)
	for k := 1; k <= 4; k++ {
		w.service.edit(id(k), func(a *mfaclient.Account) { a.Role = mfaclient.RoleAdministrator })
	}
	w.service.edit(id(1), func(a *mfaclient.Account) { a.Blocked = true })
	w.list()
	w.Expect(w.CountRole(mfaclient.RoleAdministrator)).To(Equal(3))
	w.service.remove(id(2))
	w.list()
	w.Expect(w.seen(id(2)).Role).To(Equal(mfaclient.RoleAdministrator))
	w.Expect(w.CountRole(mfaclient.RoleAdministrator)).To(Equal(2), "one that is missing protects nobody")
	w.Expect(w.CountRole(mfaclient.RoleUser)).To(Equal(1))
}
