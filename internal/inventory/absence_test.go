package inventory_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// missed is a world whose newest listing lacks the managed account with number 2.
func missed(t *testing.T) *world {
	t.Helper()
	w := listed(t, 3)
	w.service.remove(id(2))
	w.list()
	w.Expect(w.Missing(id(2))).To(BeTrue())
	w.Expect(w.seen(id(2))).To(Equal(account(2)), "kept until it is known to be gone")
	return w
}

func TestAnAccountIsGoneAfterAGetAndTheGrace(t *testing.T) {
	w := missed(t)
	gone, wait := w.verdict(id(2))
	w.Expect(gone).To(BeFalse())
	w.Expect(wait).To(Equal(grace))

	w.step(grace - time.Second)
	gone, wait = w.verdict(id(2))
	w.Expect(gone).To(BeFalse())
	w.Expect(wait).To(Equal(time.Second))
	w.Expect(w.service.gets).To(HaveLen(1), "confirmed already")

	w.list()
	w.Expect(w.Missing(id(2))).To(BeTrue(), "another listing without it changes nothing")
	gone, wait = w.verdict(id(2))
	w.Expect(gone).To(BeTrue())
	w.Expect(wait).To(BeZero())
	w.Expect(w.service.gets).To(HaveLen(2), "asked once more at the end")
	_, ok := w.ByID(id(2))
	w.Expect(ok).To(BeFalse())
	w.Expect(w.holder(login(2))).To(BeEmpty())
}

func TestALateFirstGetSettlesIt(t *testing.T) {
	w := missed(t)
	w.step(time.Hour)
	gone, _ := w.verdict(id(2))
	w.Expect(gone).To(BeTrue())
	w.Expect(w.service.gets).To(HaveLen(1))
}

func TestASettledAbsenceCostsNoFurtherGet(t *testing.T) {
	w := missed(t)
	w.step(grace)
	w.verdict(id(2))
	w.takeChanges()
	for range 3 {
		w.list()
		gone, _ := w.verdict(id(2))
		w.Expect(gone).To(BeTrue())
	}
	w.Expect(w.service.gets).To(HaveLen(1))
	w.Expect(w.takeChanges()).To(BeEmpty())

	w.service.add(account(2)) // restored after all
	w.list()
	w.Expect(w.Missing(id(2))).To(BeFalse())
	w.Expect(w.takeChanges()).To(ConsistOf(change(2)))
	w.service.remove(id(2))
	w.list()
	gone, wait := w.verdict(id(2))
	w.Expect(gone).To(BeFalse(), "its grace starts anew")
	w.Expect(wait).To(Equal(grace))
}

func TestAnAccountThatAGetFindsIsBackInThePicture(t *testing.T) {
	w := missed(t)
	w.verdict(id(2))
	w.step(grace)
	found := account(2)
	found.Phone = "new"
	w.service.add(found)
	gone, wait := w.verdict(id(2))
	w.Expect(gone).To(BeFalse())
	w.Expect(wait).To(BeZero())
	w.Expect(w.Missing(id(2))).To(BeFalse())
	w.Expect(w.seen(id(2))).To(Equal(found))
}

func TestAGetThatFailsConcludesNothing(t *testing.T) {
	for _, kind := range []mfaclient.Kind{mfaclient.KindUnavailable, mfaclient.KindDenied, mfaclient.KindUnauthenticated, mfaclient.KindMalformed} {
		t.Run(kind.String(), func(t *testing.T) {
			w := missed(t)
			w.step(grace)
			w.service.getErr = fault(kind)
			gone, wait, err := w.Gone(t.Context(), id(2))
			w.Expect(mfaclient.KindOf(err)).To(Equal(kind))
			w.Expect(gone).To(BeFalse())
			w.Expect(wait).To(BeZero())
			w.Expect(w.Missing(id(2))).To(BeTrue())
			w.Expect(w.seen(id(2))).To(Equal(account(2)))

			w.service.getErr = nil
			gone, _ = w.verdict(id(2))
			w.Expect(gone).To(BeTrue())
		})
	}
}

// A restart: the first listing lacks an account that somebody holds, and nobody knows more of it than its id.
func TestAnAccountMissingFromTheFirstListing(t *testing.T) {
	w := newWorld(t, 3)
	w.hold(id(7))
	w.list()
	w.Expect(w.Missing(id(7))).To(BeTrue())
	gone, wait := w.verdict(id(7))
	w.Expect(gone).To(BeFalse())
	w.Expect(wait).To(Equal(grace))
	w.step(grace)
	gone, _ = w.verdict(id(7))
	w.Expect(gone).To(BeTrue())
	w.Expect(w.Len()).To(Equal(3))
}

func TestAnAbsenceIsForgottenWithTheLastHolder(t *testing.T) {
	w := missed(t)
	w.release(id(2))
	w.list()
	w.Expect(w.Missing(id(2))).To(BeFalse())
	_, ok := w.ByID(id(2))
	w.Expect(ok).To(BeFalse())
	w.Expect(w.takeChanges()).To(ContainElement(change(2)))
}

// A call did not find an account; a listing that had read it before must not clear the suspicion.
func TestASuspicionOutlivesAnOlderListing(t *testing.T) {
	w := listed(t, 150)
	w.service.beforePage = func(page int) error {
		if page == 1 {
			w.step(time.Second)
			w.service.remove(id(2))
			w.Suspect(id(2))
		}
		return nil
	}
	w.list()
	w.Expect(w.Missing(id(2))).To(BeTrue())
	w.service.beforePage = nil
	w.service.add(account(2))
	w.list()
	w.Expect(w.Missing(id(2))).To(BeFalse(), "a listing begun later knows better")
}

// An account we have just written vanishes; the write must not put it back each time.
func TestASuspicionEndsOurPin(t *testing.T) {
	w := listed(t, 3)
	w.write(id(2), func(a *mfaclient.Account) { a.Phone = "new" })
	w.service.remove(id(2))
	w.Suspect(id(2))
	w.list()
	w.Expect(w.Missing(id(2))).To(BeTrue())
	w.verdict(id(2))
	w.list()
	w.Expect(w.Missing(id(2))).To(BeTrue())
	w.step(grace)
	gone, _ := w.verdict(id(2))
	w.Expect(gone).To(BeTrue())
}

// While a GET is under way a listing shows the account: its 404 starts a new grace, rather than ending the old one.
func TestAListingDuringTheGetRestartsTheGrace(t *testing.T) {
	w := missed(t)
	w.step(grace)
	w.service.afterGet = func() {
		w.service.afterGet = nil
		w.service.add(account(2))
		w.list()
		w.service.remove(id(2))
	}
	gone, wait := w.verdict(id(2))
	w.Expect(gone).To(BeFalse())
	w.Expect(wait).To(Equal(grace))
}
