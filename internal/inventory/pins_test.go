package inventory_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// write changes an account as we do it: the service keeps it, and its answer is written through.
func (w *world) write(id mfaclient.AccountID, change func(*mfaclient.Account)) {
	w.service.edit(id, change)
	account, err := w.service.get(id)
	w.Expect(err).NotTo(HaveOccurred())
	w.Put(account)
}

// putOnly writes through what the listings do not show yet.
func (w *world) putOnly(id mfaclient.AccountID, change func(*mfaclient.Account)) {
	account := w.seen(id)
	change(&account)
	w.Put(account)
}

func setPhone(phone string) func(*mfaclient.Account) {
	return func(a *mfaclient.Account) { a.Phone = phone }
}

func TestAWriteStandsAgainstAStaleListing(t *testing.T) {
	fields := map[string]func(*mfaclient.Account){
		"first name": func(a *mfaclient.Account) { a.FirstName = "new" },
		"last name":  func(a *mfaclient.Account) { a.LastName = "new" },
		"email":      func(a *mfaclient.Account) { a.Email = "new" },
		"phone":      func(a *mfaclient.Account) { a.Phone = "new" },
		"language":   func(a *mfaclient.Account) { a.Language = "fr" },
		"role":       func(a *mfaclient.Account) { a.Role = mfaclient.RoleManager },
		"blocked":    func(a *mfaclient.Account) { a.Blocked, a.State = true, mfaclient.StateBlocked },
		"used":       func(a *mfaclient.Account) { a.LastAuthenticated = start },
	}
	for name, change := range fields {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 2)
			want := account(2)
			change(&want)
			w.putOnly(id(2), change)
			w.step(grace - time.Second)
			w.list()
			w.Expect(w.seen(id(2))).To(Equal(want))
			w.Expect(w.takeChanges()).To(BeEmpty())

			w.list()
			w.Expect(w.seen(id(2))).To(Equal(account(2)), "no longer than a minute")
		})
	}
}

func TestWhatSomebodyElseWroteSinceIsBelieved(t *testing.T) {
	w := listed(t, 2)
	w.putOnly(id(2), func(a *mfaclient.Account) { a.Phone, a.Language = "ours", "fr" })
	w.service.edit(id(2), setPhone("theirs"))
	w.list()
	w.Expect(w.seen(id(2)).Phone).To(Equal("theirs"))
	w.Expect(w.seen(id(2)).Language).To(Equal("fr"), "the other field is only stale")
	w.Expect(w.takeChanges()).To(ConsistOf(change(2)))
}

// Between two writes of ours there is a reading GET, or another write: a listing from before both is stale all the same.
func TestAWriteAfterAWriteStandsAgainstTheOldestState(t *testing.T) {
	cases := map[string][]func(*mfaclient.Account){
		"write, write":     {setPhone("one"), setPhone("two")},
		"write, GET":       {setPhone("two"), setPhone("two")},
		"GET, write, GET":  {setPhone(account(2).Phone), setPhone("two"), setPhone("two")},
		"there and back":   {setPhone("two"), setPhone("one"), setPhone("two")},
		"write of another": {setPhone("two"), func(a *mfaclient.Account) { a.Language = "fr" }},
	}
	for name, writes := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 2)
			for _, write := range writes {
				w.putOnly(id(2), write)
				w.step(time.Second)
			}
			w.list()
			w.Expect(w.seen(id(2)).Phone).To(Equal("two"))
			w.Expect(w.takeChanges()).To(BeEmpty())
		})
	}
}

func TestAnOldWriteLeavesNoTraceInANewOne(t *testing.T) {
	w := listed(t, 2)
	w.write(id(2), setPhone("one"))
	w.step(grace + time.Second)
	w.write(id(2), setPhone("two"))
	w.service.edit(id(2), setPhone(account(2).Phone)) // somebody else, back to what it was long ago
	w.list()
	w.Expect(w.seen(id(2)).Phone).To(Equal(account(2).Phone))
}

func TestACreatedAccountStandsAgainstAListingThatLacksIt(t *testing.T) {
	w := listed(t, 2)
	w.hold(id(3))
	w.Put(account(3))
	w.list()
	w.Expect(w.seen(id(3))).To(Equal(account(3)))
	w.Expect(w.holder(login(3))).To(Equal(id(3)))
	w.Expect(w.Missing(id(3))).To(BeFalse())
	w.Expect(w.takeChanges()).To(BeEmpty())

	w.step(grace)
	w.list()
	w.Expect(w.Missing(id(3))).To(BeTrue(), "by now it should be listed")
}

func TestANewAccountShowsWhatSomebodyWroteSince(t *testing.T) {
	w := listed(t, 2)
	w.Put(account(3))
	theirs := account(3)
	theirs.State, theirs.Phone = mfaclient.StatePinBlocked, ""
	w.service.add(theirs)
	w.list()
	w.Expect(w.seen(id(3))).To(Equal(theirs))
}

func TestADeletedAccountStaysAwayFromAStaleListing(t *testing.T) {
	w := listed(t, 2)
	w.Remove(id(2))
	w.list()
	_, ok := w.ByID(id(2))
	w.Expect(ok).To(BeFalse())
	w.Expect(w.holder(login(2))).To(BeEmpty())
	w.Expect(w.Missing(id(2))).To(BeFalse(), "what we removed is not missed")
	w.Expect(w.takeChanges()).To(BeEmpty())

	w.step(grace)
	w.list()
	w.Expect(w.seen(id(2))).To(Equal(account(2)), "it is there after all")
}

// A listing may take longer than a write stands. What counts is when it began.
func TestAWriteStandsAgainstALongListing(t *testing.T) {
	w := listed(t, 150)
	w.service.beforePage = func(page int) error {
		if page == 1 { // after the first accounts have been read
			w.write(id(2), setPhone("new"))
			w.Remove(id(3))
			w.step(2 * grace)
		}
		return nil
	}
	w.list()
	w.Expect(w.seen(id(2)).Phone).To(Equal("new"))
	_, ok := w.ByID(id(3))
	w.Expect(ok).To(BeFalse())
	w.Expect(w.takeChanges()).To(BeEmpty())
}

// Accounts that are made before the first listing ends are in the picture that it becomes.
func TestAWriteDuringTheFirstListing(t *testing.T) {
	w := newWorld(t, 2)
	w.service.answer = func(_ int, honest mfaclient.AccountPage) mfaclient.AccountPage {
		w.Put(account(3))
		return honest
	}
	w.list()
	w.Expect(w.seen(id(3))).To(Equal(account(3)))
	w.Expect(w.Len()).To(Equal(3))
}
