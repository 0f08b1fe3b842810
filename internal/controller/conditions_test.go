package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestSituations: Ready says whether the operator has done its part; what a person has yet to do never makes it False.
func TestSituations(t *testing.T) {
	edit := func(edit func(*mfasim.Account)) func(*testWorld) {
		return func(w *testWorld) { w.console("alice@example.com", edit) }
	}
	cases := map[string]struct {
		happens               func(w *testWorld)
		ready, code, enrolled string
		codeInSecret          bool
	}{
		"new":          {func(*testWorld) {}, "True Reconciled", "True CodeActive", "False WaitingForUser", true},
		"code used":    {edit(func(a *mfasim.Account) { a.Status = mfasim.StatusActivated }), "True Reconciled", "False CodeUsed", "True Enrolled", false},
		"PIN-blocked":  {edit(func(a *mfasim.Account) { a.Status = mfasim.StatusPINBlocked }), "True Reconciled", "False CodeUsed", "False PinBlocked", false},
		"blocked":      {edit(func(a *mfasim.Account) { a.Blocked = true }), "True Reconciled", "True CodeActive", "False AccountBlocked", true},
		"unheard of":   {edit(func(a *mfasim.Account) { a.Status = "FROZEN" }), "True Reconciled", "True CodeActive", "Unknown StateUnknown", true},
		"code expired": {func(w *testWorld) { w.tick(22 * 24 * time.Hour) }, "True Reconciled", "False CodeExpired", "False EnrollmentExpired", false},
		"code lost": {func(w *testWorld) { w.g.Expect(w.client.Delete(w.ctx, w.secret("alice"))).To(Succeed()) },
			"True Reconciled", "False CodeLost", "False WaitingForUser", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			tc.happens(w)
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.ready))
			w.g.Expect(is(v1alpha1.ConditionCodeReady)(user)).To(Equal(tc.code))
			w.g.Expect(is(v1alpha1.ConditionEnrolled)(user)).To(Equal(tc.enrolled))
			w.g.Expect(user.Status.ObservedGeneration).To(Equal(user.Generation))
			secret := w.secret("alice")
			w.g.Expect(secret != nil && len(secret.Data[v1alpha1.KeyCode]) > 0).To(Equal(tc.codeInSecret))
			if name == "code lost" {
				w.g.Expect(secret).To(BeNil(), "and it is not filled again")
			}

			// Nothing changes any more: no write, no call, no event.
			w.happened()
			w.sim.ResetCalls()
			w.writes = map[string]int{}
			w.clock.Step(time.Second)
			_, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(w.sim.Calls()).To(BeEmpty())
			w.g.Expect(w.writes).To(BeEmpty())
			w.g.Expect(w.happened()).To(BeEmpty())
		})
	}
}

// TestExpiryIsPlanned: a pass says when the code runs out, and at that time the code goes, whatever the service does.
func TestExpiryIsPlanned(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	user := w.apply(w.user("alice"))
	result, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(result.RequeueAfter).To(Equal(user.Status.Code.ExpiresAt.Sub(w.clock.Now())))
	w.clock.Step(result.RequeueAfter - time.Second)
	w.settle("alice")
	w.g.Expect(w.secret("alice").Data).To(HaveKey(v1alpha1.KeyLink))
	w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
	w.clock.Step(time.Second)
	w.settle("alice")
	w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyLink), HaveKey(v1alpha1.KeyCode)))
	w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
}

// TestForeignSecret: a Secret that is not ours under the name is found before anything is asked for, and not touched.
func TestForeignSecret(t *testing.T) {
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "x", Controller: new(true)}
	cases := map[string]corev1.Secret{
		"foreign type":     {Type: corev1.SecretTypeOpaque},
		"our type, no one": {Type: v1alpha1.SecretType},
		"our type, other":  {Type: v1alpha1.SecretType, ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{owner}}},
		"immutable":        {Type: v1alpha1.SecretType, Immutable: new(true)},
	}
	for name, secret := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			user := w.user("alice")
			w.create(user)
			secret := secret.DeepCopy()
			secret.Namespace, secret.Name, secret.Data = w.namespace, "alice-mfa", map[string][]byte{"mine": []byte("kept")}
			if name == "immutable" {
				secret.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(user, v1alpha1.SchemeGroupVersion.WithKind("MFAUser"))}
			}
			w.create(secret)
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False SecretConflict Stalled"))
			w.g.Expect(w.sim.Calls()["CreateAccount"]).To(BeZero())
			w.g.Expect(w.secret("alice").Data).To(Equal(secret.Data))

			w.g.Expect(w.client.Delete(w.ctx, w.secret("alice"))).To(Succeed())
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.oneLiveCode("alice")
		})
	}
}
