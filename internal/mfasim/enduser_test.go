package mfasim_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// used issues a code to a seeded account, uses it, and returns the tenant.
func used(t *testing.T, state, purpose string) *tenant {
	t.Helper()
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice", Status: state})
	out := w.must(201, "POST", path+"/codes", `{"purpose":"`+purpose+`","codeType":0}`)
	code := out["code"].(string)
	w.Expect(w.UseCode(code)).To(Succeed())
	w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrCodeUsed), "codes work once")
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusActivated))
	w.Expect(w.live("alice")).To(BeEmpty())
	return w
}

func TestUsingACode(t *testing.T) {
	t.Run("ENROLLMENT enrols the first device", func(t *testing.T) {
		w := used(t, mfasim.StatusPending, "ENROLLMENT")
		w.Expect(w.Devices("alice")).To(HaveLen(1))
		a, _ := w.Account("alice")
		w.Expect(a.LastAuthenticationDate).To(BeZero(), "enrolling is not authenticating")
	})
	t.Run("ADD_DEVICE enrols one more", func(t *testing.T) {
		w := used(t, mfasim.StatusActivated, "ADD_DEVICE")
		w.Expect(w.Devices("alice")).To(HaveLen(2))
	})
	t.Run("UNLOCK sets a new PIN and keeps the devices", func(t *testing.T) {
		w := used(t, mfasim.StatusPINBlocked, "UNLOCK")
		w.Expect(w.Devices("alice")).To(ConsistOf(HaveField("State", 0)))
		w.Expect(w.Authenticate("alice")).To(Succeed())
	})
	t.Run("RESTORE leaves only the new device", func(t *testing.T) {
		w := newTenant(t, mfasim.Options{})
		path := w.seed(mfasim.Account{Login: "alice", Status: mfasim.StatusPINBlocked})
		_, err := w.AddDevice("alice")
		w.Expect(err).NotTo(HaveOccurred())
		before := w.Devices("alice")
		w.Expect(before).To(HaveLen(2))
		link := w.must(201, "POST", path+"/codes", `{"purpose":"RESTORE","codeType":2}`)["link"].(string)
		w.Expect(w.Devices("alice")).To(Equal(before), "issuing alone deletes nothing")
		w.Expect(w.UseCode(link)).To(Succeed())
		w.Expect(w.Devices("alice")).To(HaveLen(1))
		w.Expect(before).NotTo(ContainElement(w.Devices("alice")[0]))
		w.Expect(w.status("alice")).To(Equal(mfasim.StatusActivated))
	})
}

func TestDeadCodesSayWhy(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.Expect(w.UseCode("NONSENSE1")).To(MatchError(mfasim.ErrCodeUnknown))

	path, made := w.create("alice", "0")
	code := made["code"].(string)
	w.must(200, "PATCH", path, `{"blocked":true}`)
	w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrBlocked))
	w.must(200, "PATCH", path, `{"blocked":false}`)
	_, err := w.AddDevice("alice")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrPurposeOutdated), "an enrolment code is for an account without a device")
	w.Expect(w.Devices("alice")).To(HaveLen(1))
}

func TestStatusFollowsTheClock(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, _ := w.create("alice", "0")
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusPending))
	w.clock.Step(15 * time.Minute)
	w.Expect(w.must(200, "GET", path, "")).To(HaveKeyWithValue("status", "EXPIRED"))
	w.must(201, "POST", path+"/codes", `{"purpose":"ENROLLMENT","codeType":2}`)
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusPending), "a new code makes it wait again")

	w.must(200, "PATCH", path, `{"blocked":true}`)
	w.clock.Step(21 * day)
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusBlocked), "a block covers whatever is beneath")
	w.must(200, "PATCH", path, `{"blocked":false}`)
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusExpired))
}
