package controller

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// TestOneTokenTwoPurposes: a word that was the token of one request by hand may be that of another, and the code of the
// first is not the answer to the second.
func TestOneTokenTwoPurposes(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusActivated)
	w.ask("AddDevice/2026-11-24")
	w.clock.Step(10 * time.Second)
	w.sim.SetFault(mfasim.Fault{Operation: "IssueCode", Kind: mfasim.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "30", Count: 1})
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: "Restore/2026-11-24"}
	})
	w.drive(time.Minute, "alice")
	w.g.Expect(w.get("alice").Status.Code.Purpose).To(Equal(v1alpha1.PurposeRestore))
	w.g.Expect(string(w.secret("alice").Data[v1alpha1.KeyPurpose])).To(Equal(string(v1alpha1.PurposeRestore)))
	w.oneLiveCode("alice")
}

// TestRenewedCodeLives: the code of a renewal is issued for an account that has expired, and the first listing after it may
// still know the account as it was before that.
func TestRenewedCodeLives(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Renewal = v1alpha1.RenewalWhenExpired })
	w.tick(21*24*time.Hour - 5*time.Minute)
	w.settle("alice")
	w.clock.Step(5*time.Minute + time.Second)
	w.settle("alice")
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(2))

	w.clock.Step(20 * time.Second)
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
	})
	w.drive(5*time.Minute, "alice")
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(2))
	w.oneLiveCode("alice")
}

// TestOldCopyWipesNothing: a pass that knows only the code before, from a cache that lags, leaves the newer one alone.
func TestOldCopyWipesNothing(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
	w.tick(11 * time.Minute)
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.Code.Generation, u.Spec.Code.Purpose = new(int64(2)), v1alpha1.PurposeAddDevice
	})
	old := w.get("alice")
	w.settle("alice")
	w.oneLiveCode("alice")

	_, err := w.users.Reconcile(w.ctx, old)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.settle("alice")
	w.oneLiveCode("alice")
}

// TestDeviceBetweenTwoTries: a device that is enrolled before a code is asked for once more does not show that it was used.
func TestDeviceBetweenTwoTries(t *testing.T) {
	faults := map[string]mfasim.Fault{
		"not come to":     {Kind: mfasim.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "30"},
		"the answer lost": {Kind: mfasim.FaultResetAfter},
	}
	for name, fault := range faults {
		for _, p := range []v1alpha1.CodePurpose{v1alpha1.PurposeAddDevice, v1alpha1.PurposeRestore} {
			t.Run(name+" "+string(p), func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{})
				w.inState(mfasim.StatusActivated)
				fault.Operation, fault.Count = "IssueCode", 1
				w.sim.SetFault(fault)
				w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation, u.Spec.Code.Purpose = new(int64(2)), p })
				_, _ = w.pass("alice")
				w.g.Expect(w.get("alice").Status.Code.Pending).NotTo(BeNil())
				_, err := w.sim.AddDevice(aliceLogin)
				w.g.Expect(err).NotTo(HaveOccurred())

				w.drive(time.Hour, "alice")
				w.g.Expect(w.get("alice").Status.Code).To(HaveValue(And(HaveField("Request", "generation/2"), HaveField("Phase", v1alpha1.CodeActive))))
				w.oneLiveCode("alice")
				w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
				w.drive(11*time.Minute, "alice")
				w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
			})
		}
	}
}

// TestLinkGoesToTheStatedAddress: while the account has another address than the manifest, nothing is mailed.
func TestLinkGoesToTheStatedAddress(t *testing.T) {
	const before, after = "alice@example.com", "alice@new.example.com"
	mailedTo := func(w *testWorld) (to []string) {
		for _, mail := range w.sim.Outbox() {
			to = append(to, mail.To)
		}
		return to
	}
	t.Run("the service does not keep it at once", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		w.apply(w.user("alice", delivered(v1alpha1.DeliveryEmail)))
		w.putBetween(withoutField("email"))
		w.edit("alice", func(u *v1alpha1.MFAUser) {
			u.Spec.Email, u.Spec.Code.Generation = new(after), new(int64(2))
		})
		w.drive(5*time.Second, "alice")
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False Progressing Reconciling"))
		w.drive(time.Hour, "alice")
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False NotConverging Stalled"), "which is said in spite of the mail")
		w.g.Expect(mailedTo(w)).To(Equal([]string{before}))

		w.front.Store(nil)
		w.edit("alice", func(u *v1alpha1.MFAUser) {
			u.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
		})
		w.drive(time.Minute, "alice")
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(mailedTo(w)).To(Equal([]string{before, after}))
	})
	t.Run("somebody has changed it since the listing", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		w.apply(w.user("alice", delivered(v1alpha1.DeliveryEmail)))
		w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.Email = "mallory@example.org" })).To(Succeed())
		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) })
		w.drive(time.Minute, "alice")
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(mailedTo(w)).To(Equal([]string{before, before}))
	})
}

// TestMailsHaveAnEnd: a service that mails and never says so does not mail one person for weeks.
func TestMailsHaveAnEnd(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.SetFault(mfasim.Fault{Operation: "SendCode", Kind: mfasim.FaultResetAfter})
	w.create(w.user("alice", delivered(v1alpha1.DeliveryEmail)))
	w.drive(2*time.Hour, "alice")
	w.startOperator()
	w.drive(24*time.Hour, "alice")
	w.g.Expect(w.sim.Outbox()).To(HaveLen(mailTries))
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
}

// TestTwoUsersOneSecret: of two MFAUsers that name one Secret the first has it, also when both find it free.
func TestTwoUsersOneSecret(t *testing.T) {
	named := func(secret string) func(*v1alpha1.MFAUser) {
		return func(u *v1alpha1.MFAUser) { u.Spec.Code.SecretName = secret }
	}
	cases := map[string]struct {
		secret        string
		first, second func(*testWorld) *v1alpha1.MFAUser
	}{
		"the first has it by default": {"alice", func(w *testWorld) *v1alpha1.MFAUser { return w.user("alice") },
			func(w *testWorld) *v1alpha1.MFAUser { return w.user("bob", named("alice-mfa")) }},
		"the second has it by default": {"alice", func(w *testWorld) *v1alpha1.MFAUser { return w.user("bob", named("alice-mfa")) },
			func(w *testWorld) *v1alpha1.MFAUser { return w.user("alice") }},
		"both by name": {"shared", func(w *testWorld) *v1alpha1.MFAUser { return w.user("alice", named("shared-mfa")) },
			func(w *testWorld) *v1alpha1.MFAUser { return w.user("bob", named("shared-mfa")) }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			first, second := tc.first(w), tc.second(w)
			w.create(first, second)
			for !rules.Owns(first, second) { // made in the same second: the UID decides
				w.g.Expect(w.client.Delete(w.ctx, second)).To(Succeed())
				second = tc.second(w)
				w.create(second)
			}
			var once atomic.Bool
			w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/accounts") && once.CompareAndSwap(false, true) {
					_, err := w.pass(second.Name)
					w.g.Expect(err).NotTo(HaveOccurred())
				}
				sim.ServeHTTP(out, r)
			})
			_, err := w.pass(first.Name)
			w.g.Expect(err).NotTo(HaveOccurred())
			user := w.settle(second.Name)
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("False SecretConflict Stalled"))
			w.g.Expect(readyOf(user.Status.Conditions).Message).To(And(ContainSubstring("MFAUser "+first.Name), Not(ContainSubstring("Delete it"))))
			w.g.Expect(string(w.secret(tc.secret).Data[v1alpha1.KeyLogin])).To(Equal(first.Spec.Login))
			_, made := w.sim.Account(second.Spec.Login)
			w.g.Expect(made).To(BeFalse(), "before its account is made")
		})
	}
}

// TestSecretConflictCostsNoCalls: what is tried again every half minute asks the API server, and not the service.
func TestSecretConflictCostsNoCalls(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	w.deleteObject(w.secret("alice"))
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "alice-mfa"}}
	w.create(foreign)
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) })
	w.drive(time.Minute, "alice")
	w.sim.ResetCalls()
	w.drive(time.Hour, "alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False SecretConflict Stalled"))
	w.g.Expect(w.sim.Calls()).To(HaveLen(1), "the listings: %v", w.sim.Calls())

	w.deleteObject(foreign)
	w.drive(time.Minute, "alice")
	w.oneLiveCode("alice")
}

// TestUnadmittedUserWithoutAToken: before there is a client, the code of one whose namespace is no longer admitted is let be.
func TestUnadmittedUserWithoutAToken(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	w.editConnection(func(c *v1alpha1.MFAConnection) {
		c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSame}
	})
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
	w.startOperator()
	_, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
	w.oneLiveCode("alice")
}
