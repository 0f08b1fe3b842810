package mfasim_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestSeedPutsAnAccountInAnyState(t *testing.T) {
	for _, state := range []string{mfasim.StatusPending, mfasim.StatusActivated, mfasim.StatusExpired, mfasim.StatusBlocked,
		mfasim.StatusPINBlocked, "FROZEN"} {
		t.Run(state, func(t *testing.T) {
			w := newTenant(t, mfasim.Options{})
			made := w.Seed(mfasim.Account{Login: "bob", Status: state, Role: "HELPDESK"})
			w.Expect(made.Status).To(Equal(state))
			w.Expect(w.must(200, "GET", "/accounts/"+made.ID.String(), "")).To(And(
				HaveKeyWithValue("status", state), HaveKeyWithValue("role", "HELPDESK"), HaveKeyWithValue("blocked", state == mfasim.StatusBlocked)))
			w.Expect(w.CodesIssued("bob")).To(BeZero())

			// From every state back to activated, as an edit in the console would.
			w.Expect(w.UpdateAccount("bob", func(a *mfasim.Account) { a.Status = mfasim.StatusActivated })).To(Succeed())
			w.Expect(w.status("bob")).To(Equal(mfasim.StatusActivated))
			w.Expect(w.Authenticate("bob")).To(Succeed())
		})
	}
}

func TestSeedKeepsIDsApart(t *testing.T) {
	w := newTenant(t, mfasim.Options{FirstID: 100})
	w.Seed(mfasim.Account{ID: 7, Login: "old"})
	w.Seed(mfasim.Account{ID: 500, Login: "later"})
	next := w.Seed(mfasim.Account{Login: "next"})
	w.Expect(next.ID).To(BeNumerically(">", 500))
	w.Expect(w.Accounts()[0].Login).To(Equal("old"), "ordered by id")
	w.Expect(w.Accounts()).To(HaveLen(4))
	w.Expect(func() { w.Seed(mfasim.Account{Login: "OLD"}) }).To(Panic())
	w.Expect(func() { w.Seed(mfasim.Account{ID: 7, Login: "other"}) }).To(Panic())
	w.Expect(func() { w.Seed(mfasim.Account{}) }).To(Panic())
}

func TestUpdateAccountInTheConsole(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	bob := w.Seed(mfasim.Account{Login: "bob"})
	w.Seed(mfasim.Account{Login: "taken"})
	w.Expect(w.UpdateAccount("BOB", func(a *mfasim.Account) { a.ID, a.Login, a.Phone, a.Blocked = 1, "robert", "5", true })).To(Succeed())
	robert, ok := w.AccountByID(bob.ID)
	w.Expect(ok).To(BeTrue())
	w.Expect(robert).To(And(HaveField("Login", "robert"), HaveField("Phone", "5"), HaveField("Status", mfasim.StatusBlocked)))
	_, old := w.Account("bob")
	w.Expect(old).To(BeFalse())

	w.Expect(w.UpdateAccount("nobody", func(*mfasim.Account) {})).To(MatchError(mfasim.ErrNoAccount))
	w.Expect(w.UpdateAccount("robert", func(a *mfasim.Account) { a.Login = "Taken" })).To(MatchError(mfasim.ErrLoginTaken))
	w.Expect(w.UpdateAccount("robert", func(a *mfasim.Account) { a.Login = "" })).NotTo(Succeed())
}

func TestIssueCodeInTheConsoleCancelsOurs(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	_, made := w.create("bob", "2")
	other, err := w.IssueCode("bob", "ENROLLMENT", 0)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.Accepts(other)).To(BeTrue())
	w.Expect(w.Accepts(made["code"].(string))).To(BeFalse())
	_, err = w.IssueCode("nobody", "ENROLLMENT", 0)
	w.Expect(err).To(MatchError(mfasim.ErrNoAccount))
	_, err = w.IssueCode("bob", "FUN", 0)
	w.Expect(err).To(HaveOccurred())
}

func TestBackToPendingCancelsTheCode(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	_, made := w.create("bob", "2")
	w.Expect(w.UseCode(made["code"].(string))).To(Succeed())
	code, err := w.IssueCode("bob", "ADD_DEVICE", 0)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.UpdateAccount("bob", func(a *mfasim.Account) { a.Status = mfasim.StatusPending })).To(Succeed())
	w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrCodeCancelled))
	w.Expect(w.Devices("bob")).To(BeEmpty())
	w.Expect(w.DeleteAccount("bob")).To(BeTrue())
	w.Expect(w.DeleteAccount("bob")).To(BeFalse())
}
