package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestPINErrors: by hand, wrong PINs are forgotten, once a token; what the service refuses is told.
func TestPINErrors(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPINBlocked)
	user := w.ask("PINErrors/1")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated), "seen at once")
	w.g.Expect(w.sim.Calls()["ResetPINErrors"]).To(Equal(1))
	w.settle("alice")
	w.g.Expect(w.sim.Calls()["ResetPINErrors"]).To(Equal(1))

	for range 3 {
		w.g.Expect(w.sim.MistypePIN(aliceLogin)).To(Succeed())
	}
	w.tick(11 * time.Minute)
	user = w.ask("PINErrors/2")
	w.g.Expect(user.Status.CodeRefusal.Message).To(ContainSubstring("only once until the next good authentication"))
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.settle("alice")
	w.g.Expect(w.sim.Calls()["ResetPINErrors"]).To(Equal(2))
	w.g.Expect(w.ask("Unlock/3").Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.oneLiveCode("alice")
}

// TestPINErrorsAnswerLost: what was done is not refused when it is asked for again.
func TestPINErrorsAnswerLost(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPINBlocked)
	w.sim.SetFault(mfasim.Fault{Operation: "ResetPINErrors", Kind: mfasim.FaultResetAfter, Count: 1})
	user := w.ask("PINErrors/1")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.CodeRefusal).To(BeNil())
	w.g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated))
}
