package controller

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// A service that asks for quiet gets it from the whole connection, for as long as it says but an hour at most.
func TestRetryAfter(t *testing.T) {
	cases := map[string]struct {
		status     int
		retryAfter func(now time.Time) string
		pause      time.Duration
	}{
		"429 in seconds":  {429, func(time.Time) string { return "300" }, 5 * time.Minute},
		"503 in seconds":  {503, func(time.Time) string { return "300" }, 5 * time.Minute},
		"429 with a date": {429, func(now time.Time) string { return now.Add(7 * time.Minute).UTC().Format(http.TimeFormat) }, 7 * time.Minute},
		"429 without":     {429, func(time.Time) string { return "" }, 5 * time.Second},
		"429 nonsense":    {429, func(time.Time) string { return "soon" }, 5 * time.Second},
		"429 for a year":  {429, func(time.Time) string { return "31536000" }, time.Hour},
		"429 for ever":    {429, func(time.Time) string { return "99999999999999999999999999" }, time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			settled := w.apply(w.user("settled"))
			names := []string{"settled", "u1", "u2", "u3", "u4"}
			for _, name := range names[1:] {
				w.create(w.user(name))
			}
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultStatus, Status: tc.status, RetryAfter: tc.retryAfter(w.clock.Now()), Count: 1})
			w.sim.ResetCalls()

			w.drive(tc.pause-time.Second, names...)

			w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"CreateAccount": 1}), "no call within the pause, of nobody")
			for _, name := range names[1:] {
				w.g.Expect(ready(w.get(name).Status.Conditions)).To(Or(Equal("False RateLimited Reconciling"), Equal("False ConnectionNotReady Reconciling")))
				w.expectDiscreet(w.get(name))
			}
			w.g.Expect(w.get("settled").Status).To(Equal(settled.Status))

			w.drive(3*time.Second, names...)
			for _, name := range names[1:] {
				w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("True Reconciled"), "at once when the pause is over")
			}
			w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
		})
	}
}

// When no licence is left the creations of a connection wait together: one try per interval, however many there are.
func TestQuotaUsedUp(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("old"))
	names := []string{"old"}
	for n := range 8 {
		names = append(names, fmt.Sprintf("new%d", n))
		w.create(w.user(names[n+1]))
	}
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultNOKBody})
	w.sim.ResetCalls()
	w.writes = map[string]int{}

	w.drive(time.Hour, names...)

	w.g.Expect(w.sim.Calls()["CreateAccount"]).To(And(BeNumerically(">=", 6), BeNumerically("<=", 7)))
	w.g.Expect(w.writes["patch *v1alpha1.MFAUser/status"]).To(BeNumerically("<=", 8+2*7), "those who wait are not written again and again")
	for _, name := range names[1:] {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("False QuotaExceeded Reconciling"))
		w.g.Expect(w.get(name).Status.Creating).To(BeNil())
	}
	w.expectDiscreet(w.get("new0"))
	w.edit("old", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Olga") })
	w.g.Expect(ready(w.settle("old").Status.Conditions)).To(Equal("True Reconciled"), "only creations wait")

	w.sim.ClearFaults()
	w.drive(11*time.Minute, names...)
	for _, name := range names[1:] {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("True Reconciled"), "all of them, once one creation went well")
	}
}

// Workers that come together when the wait is over must not all try.
func TestQuotaTurn(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	c := &connection{}
	g.Expect(c.quotaTurn(now, time.Minute)).To(BeZero())
	g.Expect(c.quotaTurn(now, time.Minute)).To(BeZero(), "nobody waits while there is room")
	c.quotaFull(now)
	g.Expect(c.quotaTurn(now, time.Minute)).To(BeZero())
	g.Expect(c.quotaTurn(now, time.Minute)).To(Equal(time.Minute))
	g.Expect(c.quotaFree()).To(BeTrue())
	g.Expect(c.quotaFree()).To(BeFalse())
	g.Expect(c.quotaTurn(now, time.Minute)).To(BeZero())
}
