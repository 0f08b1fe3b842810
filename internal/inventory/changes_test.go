package inventory_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// The account with number 4 is managed by nobody.
func TestChangesNameExactlyWhatAListingShowedChanged(t *testing.T) {
	cases := map[string]struct {
		happens func(*world)
		want    []inventory.Change
	}{
		"nothing": {func(*world) {}, nil},
		"a field": {func(w *world) { w.service.edit(id(2), func(a *mfaclient.Account) { a.Phone = "1" }) }, []inventory.Change{change(2)}},
		"a state": {func(w *world) {
			w.service.edit(id(2), func(a *mfaclient.Account) { a.State = mfaclient.StatePinBlocked })
		}, []inventory.Change{change(2)}},
		"of an account of nobody":   {func(w *world) { w.service.edit(id(4), func(a *mfaclient.Account) { a.Blocked = true }) }, []inventory.Change{change(4)}},
		"last authentication":       {func(w *world) { w.service.edit(id(2), func(a *mfaclient.Account) { a.LastAuthenticated = start }) }, nil},
		"a new account":             {func(w *world) { w.service.add(account(9)) }, []inventory.Change{change(9)}},
		"a managed account gone":    {func(w *world) { w.service.remove(id(1)) }, []inventory.Change{change(1)}},
		"an unmanaged account gone": {func(w *world) { w.service.remove(id(4)) }, []inventory.Change{change(4)}},
		"a new login": {
			func(w *world) { w.service.edit(id(3), func(a *mfaclient.Account) { a.Login = "new" }) },
			[]inventory.Change{change(3), {ID: id(3), Login: "new"}},
		},
		"two at once": {
			func(w *world) {
				w.service.edit(id(1), func(a *mfaclient.Account) { a.Email = "" })
				w.service.remove(id(3))
			}, []inventory.Change{change(1), change(3)},
		},
		"our own write":    {func(w *world) { w.write(id(2), func(a *mfaclient.Account) { a.FirstName = "New" }) }, nil},
		"our own deletion": {func(w *world) { w.service.remove(id(2)); w.Remove(id(2)) }, nil},
		"our own, then another's": {
			func(w *world) {
				w.write(id(2), func(a *mfaclient.Account) { a.FirstName = "New" })
				w.service.edit(id(2), func(a *mfaclient.Account) { a.FirstName = "Other" })
			}, []inventory.Change{change(2)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 4)
			w.release(id(4))
			w.list()
			w.Expect(w.takeChanges()).To(BeEmpty(), "the first picture")
			tc.happens(w)
			w.list()
			w.Expect(w.takeChanges()).To(ConsistOf(tc.want))
			w.list()
			w.Expect(w.takeChanges()).To(BeEmpty(), "told once")
		})
	}
}

func TestAnAccountThatIsBackIsAChange(t *testing.T) {
	cases := map[string]func(*mfaclient.Account){
		"as it was": func(*mfaclient.Account) {},
		"different": func(a *mfaclient.Account) { a.Phone = "1" },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 3)
			w.service.remove(id(2))
			w.list()
			w.Expect(w.takeChanges()).To(ConsistOf(change(2)))
			back := account(2)
			edit(&back)
			w.service.add(back)
			w.list()
			w.Expect(w.takeChanges()).To(ConsistOf(change(2)))
			w.Expect(w.Missing(id(2))).To(BeFalse())
			w.Expect(w.seen(id(2))).To(Equal(back))
		})
	}
}

// The picture must be the new one already when the changes are told: who is woken looks at it.
func TestChangesAreToldAfterThePictureHasChanged(t *testing.T) {
	w := listed(t, 1)
	var phones []string
	w.told = func(changes []inventory.Change) { phones = append(phones, w.seen(changes[0].ID).Phone) }
	w.service.edit(id(1), setPhone("new"))
	w.list()
	w.Expect(phones).To(Equal([]string{"new"}))
}

// What a read shows is in the picture from then on, so that no listing will tell of it: the read has to.
func TestAReadTellsWhatSomebodyChanged(t *testing.T) {
	cases := map[string]struct {
		change func(*mfaclient.Account)
		want   []inventory.Change
	}{
		"nothing":           {func(*mfaclient.Account) {}, nil},
		"a field":           {setPhone("new"), []inventory.Change{{ID: id(1), Login: account(1).Login}}},
		"an authentication": {func(a *mfaclient.Account) { a.LastAuthenticated = start }, nil},
		"the login": {func(a *mfaclient.Account) { a.Login = "new@example.com" },
			[]inventory.Change{{ID: id(1), Login: account(1).Login}, {ID: id(1), Login: "new@example.com"}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := listed(t, 2)
			w.service.edit(id(1), tc.change)
			read, err := w.service.get(id(1))
			w.Expect(err).NotTo(HaveOccurred())

			w.Saw(read)

			w.Expect(w.changes).To(ConsistOf(tc.want))
			w.Expect(w.seen(id(1))).To(Equal(read))
			w.changes = nil
			w.Saw(read)
			w.list()
			w.Expect(w.changes).To(BeEmpty(), "told once")
		})
	}
}
