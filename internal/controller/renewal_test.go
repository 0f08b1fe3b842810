package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRenewal: an enrolment code that runs out unused is replaced, five times, and no other code is.
func TestRenewal(t *testing.T) {
	renewing := func(u *v1alpha1.MFAUser) { u.Spec.Code.Renewal = v1alpha1.RenewalWhenExpired }
	daily := func(c *v1alpha1.MFAConnection) { c.Spec.ResyncInterval.Duration = 24 * time.Hour }
	t.Run("five times", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{}, daily)
		w.inState(mfasim.StatusPending, renewing)
		for n := range 7 {
			w.drive(21*24*time.Hour, "alice")
			want := min(n+1, 5)
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1+want), "after %d lives", n+1)
		}
		code := w.get("alice").Status.Code
		w.g.Expect(code.Request).To(Equal("renewal/1/5"))
		w.g.Expect(code.Phase).To(Equal(v1alpha1.CodeExpired))
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))

		w.raise()
		w.oneLiveCode("alice")
		w.drive(21*24*time.Hour, "alice")
		w.g.Expect(w.get("alice").Status.Code.Request).To(Equal("renewal/2/1"), "a new generation has renewals of its own")
		w.oneLiveCode("alice")
	})
	cases := map[string]func(w *testWorld){
		"asked for by hand": func(w *testWorld) { w.inState(mfasim.StatusPending, renewing); w.ask("Enrollment/x") },
		"switched on": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing, func(u *v1alpha1.MFAUser) {
				u.Spec.Code.Type, u.Spec.Code.Activation = v1alpha1.CodeInactive, v1alpha1.ActivationNow
			})
		},
		"used": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
		},
		"its Secret deleted": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.deleteObject(w.secret("alice"))
		},
		"blocked": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.console(aliceLogin, func(a *mfasim.Account) { a.Blocked = true })
		},
		"suspended": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true })
		},
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, daily)
			make(w)
			issued := w.sim.CodesIssued(aliceLogin)
			w.drive(22*24*time.Hour, "alice")
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(issued))
		})
	}
}
