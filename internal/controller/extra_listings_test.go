package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestManyRequests: users that are asked for by hand in a row share listings, each begun after its request.
func TestManyRequests(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	var names []string
	for n := range 15 {
		names = append(names, fmt.Sprintf("u%d", n))
		w.apply(w.user(names[n], func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Stated") }))
	}
	for _, name := range names {
		w.g.Expect(w.sim.UpdateAccount(name+"@example.com", func(a *mfasim.Account) { a.FirstName = "Else" })).To(Succeed())
		w.edit(name, func(u *v1alpha1.MFAUser) {
			u.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
		})
	}
	w.sim.ResetCalls()
	w.drive(2*extraEvery, names...)

	w.g.Expect(w.sim.Calls()["ListAccounts"]).To(BeNumerically("<=", extraBurst+2))
	for _, name := range names {
		user := w.get(name)
		w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(user.Status.HandledReconcileRequest).To(Equal("now"))
		w.g.Expect(w.remote(name+"@example.com").FirstName).To(Equal("Stated"), "what was so when they asked has been seen")
	}
}

// TestManyUnclearCreations: an outage that swallows answers makes no listing per user.
func TestManyUnclearCreations(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	var names []string
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 15})
	w.sim.ResetCalls()
	for n := range 15 {
		names = append(names, fmt.Sprintf("u%d", n))
		w.create(w.user(names[n]))
		w.drive(2*time.Second, names[n]) // long enough to try, and to look what became of it
	}
	w.drive(extraEvery, names...)

	w.g.Expect(w.sim.Calls()["ListAccounts"]).To(BeNumerically("<=", extraBurst+2))
	for _, name := range names {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("True Reconciled"))
		w.oneLiveCode(name)
	}
}
