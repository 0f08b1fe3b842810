package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestActivation: an inactive code is switched on when the manifest says so, once.
func TestActivation(t *testing.T) {
	for name, omit := range map[string]bool{"the service says how long": false, "the tenant's lifetime": true} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{OmitExpiresAt: omit})
			w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive })
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeInactivePhase))
			w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(BeFalse())

			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(BeTrue())
			w.oneLiveCode("alice")
			expiry := w.clock.Now().Add(15 * time.Minute)
			w.g.Expect(user.Status.Code.ExpiresAt.Time).To(BeTemporally("==", expiry))
			w.g.Expect(w.secret("alice").Data).To(HaveKeyWithValue(v1alpha1.KeyExpiresAt, []byte(expiry.UTC().Format(time.RFC3339))))
			w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"GetAccount": 1, "ActivateCode": 1}))

			for _, activation := range []v1alpha1.CodeActivation{v1alpha1.ActivationLater, v1alpha1.ActivationNow} {
				w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = activation })
				w.settle("alice")
			}
			w.g.Expect(w.sim.Calls()["ActivateCode"]).To(Equal(1))
			w.drive(15*time.Minute, "alice")
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
			w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))

			w.g.Expect(w.raise().Status.Code.Phase).To(Equal(v1alpha1.CodeActive), "Now goes for the next code too")
			w.raise(func(c *v1alpha1.CodeSpec) { c.Activation = v1alpha1.ActivationLater })
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeInactivePhase))
		})
	}
}

// TestActivationTrouble: an answer that is lost is asked for again, and is the same.
func TestActivationTrouble(t *testing.T) {
	for _, kind := range []mfasim.FaultKind{mfasim.FaultResetAfter, mfasim.FaultCutBody, mfasim.FaultStatus} {
		t.Run(string(kind), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive })
			w.sim.SetFault(mfasim.Fault{Operation: "ActivateCode", Kind: kind, Count: 1})
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.startOperator()
			w.reconcileConnection()
			w.g.Expect(w.settle("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			w.oneLiveCode("alice")
			w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(BeTrue())
		})
	}
}

// TestActivationOfACodeThatIsGone: cancelled in the console, it is over.
func TestActivationOfACodeThatIsGone(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive })
	_, err := w.sim.IssueCode(aliceLogin, "ENROLLMENT", 0)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeSuperseded))
	w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
}
