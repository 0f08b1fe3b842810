package mfasim_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestThreeWrongPINsLock(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice", Status: mfasim.StatusActivated})
	w.Expect(w.MistypePIN("alice")).To(Succeed())
	w.Expect(w.MistypePIN("alice")).To(Succeed())
	w.Expect(w.Authenticate("alice")).To(Succeed())
	for range 2 {
		w.Expect(w.MistypePIN("alice")).To(Succeed())
	}
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusActivated), "a good PIN starts the count anew")
	w.Expect(w.MistypePIN("alice")).To(Succeed())
	w.Expect(w.must(200, "GET", path, "")).To(HaveKeyWithValue("status", "PIN_BLOCKED"))
	w.Expect(w.Devices("alice")).To(ConsistOf(HaveField("State", 2)))
	w.Expect(w.Authenticate("alice")).To(MatchError(mfasim.ErrPINBlocked))
}

func TestResetPINErrors(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice", Status: mfasim.StatusPINBlocked}) + "/pin-errors/reset"
	w.Expect(w.must(204, "POST", path, "")).To(BeNil())
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusActivated))
	w.refused(409, "PIN_RESET_USED", "POST", path, "")

	w.clock.Step(time.Hour)
	w.Expect(w.Authenticate("alice")).To(Succeed())
	a, _ := w.Account("alice")
	w.Expect(a.LastAuthenticationDate).To(Equal(start.Add(time.Hour)))
	w.must(204, "POST", path, "")
	w.refused(404, "ACCOUNT_NOT_FOUND", "POST", "/accounts/1/pin-errors/reset", "")
}

func TestWhoCannotSignIn(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.Seed(mfasim.Account{Login: "pending"})
	w.Seed(mfasim.Account{Login: "blocked", Status: mfasim.StatusActivated, Blocked: true})
	for login, want := range map[string]error{"pending": mfasim.ErrNotEnrolled, "blocked": mfasim.ErrBlocked, "nobody": mfasim.ErrNoAccount} {
		w.Expect(w.Authenticate(login)).To(MatchError(want))
		w.Expect(w.MistypePIN(login)).To(MatchError(want))
	}
	a, _ := w.Account("blocked")
	w.Expect(a.LastAuthenticationDate).To(BeZero())
}
