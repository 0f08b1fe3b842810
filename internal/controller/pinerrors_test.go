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

// TestPINErrorsWaitForNoCode: wrong PINs are forgotten while a code that was asked for waits, for they need nothing of what it
// waits for; and the code goes on waiting.
func TestPINErrorsWaitForNoCode(t *testing.T) {
	const conflict, limit = "False SecretConflict Stalled", "False CodeLimitReached Reconciling"
	occupied := func(w *testWorld) {
		w.inState(mfasim.StatusPINBlocked)
		w.deleteObject(w.secret("alice"))
		w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "alice-mfa"}})
	}
	cases := map[string]struct {
		before func(w *testWorld)
		asked  v1alpha1.CodePurpose
		waits  string
		edit   func(*v1alpha1.MFAUser)
		then   string
	}{
		"for its Secret": {occupied, v1alpha1.PurposeRestore, conflict, rename, conflict},
		"no more":        {occupied, v1alpha1.PurposeRestore, conflict, func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(1)) }, "True Reconciled"},
		"for the hour to pass": {func(w *testWorld) {
			w.inState(mfasim.StatusPending)
			for range 4 {
				w.raise()
			}
			w.console(aliceLogin, func(a *mfasim.Account) { a.Status = mfasim.StatusPINBlocked })
		}, v1alpha1.PurposeUnlock, limit, rename, "False CodeRefused Stalled"},
		"for an approval": {func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(0)) })
			w.inState(mfasim.StatusPINBlocked)
		}, v1alpha1.PurposeRestore, held, rename, held},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			tc.before(w)
			w.g.Expect(ready(w.raise(purpose(tc.asked)).Status.Conditions)).To(Equal(tc.waits))
			w.sim.ResetCalls()
			w.edit("alice", tc.edit)
			user := w.ask("PINErrors/1")
			w.g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated))
			w.g.Expect(w.sim.Calls()).To(And(HaveKeyWithValue("ResetPINErrors", 1), Not(HaveKey("IssueCode"))))
			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.then))
		})
	}
}
