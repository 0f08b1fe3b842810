package inventory_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// holder is the id of the account that a login leads to, or empty.
func (w *world) holder(login string) mfaclient.AccountID {
	account, ok := w.ByLogin(login)
	w.Expect(ok).To(Equal(account.ID != ""))
	return account.ID
}

func named(n int, login string) mfaclient.Account {
	a := account(n)
	a.Login = login
	return a
}

func TestLoginsAreFoundWhateverTheirCase(t *testing.T) {
	w := newWorld(t, 0)
	w.service.add(named(1, "Alice@Example.com"))
	w.list()
	w.Expect(w.holder("aLICE@example.COM")).To(Equal(id(1)))
	w.Expect(w.holder("bob")).To(BeEmpty())
	w.Expect(w.holder("")).To(BeEmpty())
}

func TestARenamedAccountIsFoundUnderItsNewLoginOnly(t *testing.T) {
	renames := map[string]func(w *world){
		"in a listing": func(w *world) {
			w.service.edit(id(1), func(a *mfaclient.Account) { a.Login = "new" })
			w.list()
		},
		"by a call": func(w *world) { w.Put(named(1, "new")) },
		"found by a call before a stale listing": func(w *world) {
			w.Put(named(1, "new"))
			w.list()
		},
	}
	for name, rename := range renames {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 2)
			rename(w)
			w.Expect(w.holder("new")).To(Equal(id(1)))
			w.Expect(w.holder(login(1))).To(BeEmpty())
			w.Put(named(2, login(1))) // and the old one can be taken
			w.Expect(w.holder(login(1))).To(Equal(id(2)))
			w.Expect(w.holder(login(2))).To(BeEmpty())
		})
	}
}

func TestTwoAccountsSwapTheirLogins(t *testing.T) {
	w := listed(t, 2)
	w.service.edit(id(1), func(a *mfaclient.Account) { a.Login = login(2) })
	w.service.edit(id(2), func(a *mfaclient.Account) { a.Login = login(1) })
	w.list()
	w.Expect(w.holder(login(1))).To(Equal(id(2)))
	w.Expect(w.holder(login(2))).To(Equal(id(1)))
}

func TestTwoAccountsWithOneLogin(t *testing.T) {
	w := newWorld(t, 0)
	w.service.add(named(1, "alice"), named(2, "Alice"))
	w.list()
	w.Expect(w.Len()).To(Equal(2))
	w.Expect(w.holder("alice")).To(Equal(id(1)), "the very spelling")
	w.Expect(w.holder("Alice")).To(Equal(id(2)), "the very spelling")
	w.Expect(w.holder("ALICE")).To(Equal(id(2)), "the one seen last")

	w.Remove(id(2))
	w.Expect(w.holder("Alice")).To(Equal(id(1)), "the other one is still there")
	w.Put(named(2, "Alice"))
	w.Put(named(2, "bob"))
	w.Expect(w.holder("Alice")).To(Equal(id(1)))
	w.Remove(id(1))
	w.Expect(w.holder("alice")).To(BeEmpty())
}

// Somebody deleted a managed account and made another with its login.
func TestALoginTakenAnewIsFoundWhileTheOldAccountIsMissing(t *testing.T) {
	w := listed(t, 3)
	w.service.remove(id(2))
	w.service.add(named(9, login(2)))
	w.list()
	w.Expect(w.Missing(id(2))).To(BeTrue())
	w.Expect(w.holder(login(2))).To(Equal(id(9)))
	w.verdict(id(2))
	w.step(grace)
	gone, _ := w.verdict(id(2))
	w.Expect(gone).To(BeTrue())
	w.Expect(w.holder(login(2))).To(Equal(id(9)), "or it would be made once more")
}
