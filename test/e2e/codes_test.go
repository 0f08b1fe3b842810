package e2e

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestCodes lets a person live through all that codes are for.
func TestCodes(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.tellCodes()
}

// tellCodes is the life of Grace: a code that is switched on, one mailed, one by hand for a second device, a forgotten PIN, a
// refusal, and a lost phone.
func (w *world) tellCodes() {
	w.t.Helper()
	const grace = "grace"
	w.create(w.user(grace, func(u *v1alpha1.MFAUser) {
		u.Spec.Email = new(loginOf(grace))
		u.Spec.Code.Type = v1alpha1.CodeInactive
	}))
	w.awaitCode(grace, "create", v1alpha1.CodeInactivePhase)
	edit(w, w.get(grace), func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
	w.awaitCode(grace, "create", v1alpha1.CodeActive)

	edit(w, w.get(grace), func(u *v1alpha1.MFAUser) {
		u.Spec.Code = v1alpha1.CodeSpec{Generation: new(int64(2)), Type: v1alpha1.CodeLink, Delivery: v1alpha1.DeliverySecretAndEmail, Activation: v1alpha1.ActivationLater}
	})
	w.awaitCode(grace, "generation/2", v1alpha1.CodeActive)
	w.g.Eventually(func() int { return len(w.sim.Outbox()) }).Should(Equal(1))
	w.useCode(grace, "generation/2")

	w.askByHand(grace, "AddDevice/tablet")
	w.awaitCode(grace, "annotation/tablet", v1alpha1.CodeActive)
	w.useCode(grace, "annotation/tablet")

	for range 3 {
		w.g.Expect(w.sim.MistypePIN(loginOf(grace))).To(Succeed())
	}
	w.g.Eventually(func() v1alpha1.AccountState { return w.get(grace).Status.State }).Should(Equal(v1alpha1.StatePinBlocked))
	w.askByHand(grace, "PINErrors/once")
	w.g.Eventually(func() v1alpha1.AccountState { return w.get(grace).Status.State }).Should(Equal(v1alpha1.StateActivated))
	w.askByHand(grace, "Unlock/not-needed")
	w.g.Eventually(func() *v1alpha1.CodeRefusal { return w.get(grace).Status.CodeRefusal }).Should(HaveValue(HaveField("Request", "annotation/not-needed")))

	w.askByHand(grace, "Restore/lost")
	w.awaitCode(grace, "annotation/lost", v1alpha1.CodeActive)
	w.useCode(grace, "annotation/lost")
	w.g.Expect(w.sim.Devices(loginOf(grace))).To(HaveLen(1))
	w.g.Eventually(func() []v1alpha1.DeviceStatus { return w.get(grace).Status.Devices }).Should(HaveLen(1))
	w.awaitReady(grace)
}

func (w *world) askByHand(name, what string) {
	w.t.Helper()
	edit(w, w.get(name), func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: what} })
}

// awaitCode waits for a request to have come to a phase; while it lives, the Secret holds what the service will take, unless
// the code is said to be elsewhere.
func (w *world) awaitCode(name, request string, phase v1alpha1.CodePhase, elsewhere ...string) {
	w.t.Helper()
	w.g.Eventually(func() *v1alpha1.CodeStatus { return w.get(name).Status.Code }).
		Should(HaveValue(And(HaveField("Request", request), HaveField("Phase", phase), HaveField("Pending", BeNil()))), "%s", request)
	if phase == v1alpha1.CodeActive && len(elsewhere) == 0 {
		w.g.Expect(w.sim.Accepts(string(w.secret(name).Data[v1alpha1.KeyCode]))).To(BeTrue(), request)
	}
}

// useCode lets the person use what is in the Secret, and waits until it is gone from there.
func (w *world) useCode(name, request string) {
	w.t.Helper()
	w.g.Expect(w.sim.UseCode(string(w.secret(name).Data[v1alpha1.KeyCode]))).To(Succeed())
	w.awaitCode(name, request, v1alpha1.CodeUsed)
	w.g.Expect(w.secret(name).Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
}
