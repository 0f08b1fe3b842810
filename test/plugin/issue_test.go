package plugin

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/plugin"
)

// TestIssue: a code that was asked for is there, and a refusal comes with its reason.
func TestIssue(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice"), w.user("bob", func(u user) {
		u.Spec.Email, u.Spec.Code.Delivery = new("bob@example.com"), v1alpha1.DeliveryEmail
	}))
	w.operate()
	w.settled("alice")
	w.settled("bob")
	first := string(w.codeSecret("alice").Data[v1alpha1.KeyCode])

	got := w.mfa("issue", "alice", "--purpose", "enrollment")
	w.g.Expect(got.code).To(BeZero(), got.err)
	w.g.Expect(got.out).To(HavePrefix("issued a code for Enrollment to alice@example.com, which runs out in 20d"))
	second := string(w.codeSecret("alice").Data[v1alpha1.KeyCode])
	w.g.Expect(second).NotTo(Equal(first))
	w.g.Expect(w.sim.Accepts(second)).To(BeTrue())
	w.g.Expect(got.out + got.err).NotTo(ContainSubstring(second))

	w.g.Expect(w.mfa("issue", "bob", "--purpose", "Enrollment").out).To(ContainSubstring("the service mails the link"))

	// The status says PendingActivation, and so does the account.
	refused := w.mfa("issue", "alice", "--purpose", "Unlock")
	w.g.Expect(refused.code).To(Equal(1))
	w.g.Expect(refused.err).To(ContainSubstring("Unlock is for an account that is PinBlocked, and this one is PendingActivation; nothing was asked for"))
	w.g.Expect(w.get("alice").Annotations[v1alpha1.AnnotationIssueCode]).To(HavePrefix("Enrollment/"))
	forced := w.mfa("issue", "alice", "--purpose", "Unlock", "--force")
	w.g.Expect(forced.code).To(Equal(1))
	w.g.Expect(forced.err).To(ContainSubstring("refused: Unlock is for an account that is PinBlocked"))

	w.g.Expect(w.sim.UseCode(second)).To(Succeed())
	for range 3 {
		_ = w.sim.MistypePIN("alice@example.com")
	}
	w.g.Expect(w.mfa("reconcile", "alice").out).To(ContainSubstring("Ready is True, Reconciled"))
	w.g.Eventually(func() v1alpha1.AccountState { return w.get("alice").Status.State }).Should(Equal(v1alpha1.StatePinBlocked))
	reset := w.mfa("issue", "alice", "--purpose", "PINErrors")
	w.g.Expect(reset.code).To(BeZero(), reset.err)
	w.g.Expect(reset.out).To(ContainSubstring("has forgotten the wrong PINs of alice@example.com; the account is Activated"))
	w.g.Expect(w.mfa("issue", "alice", "--purpose", "AddDevice", "--wait=false").out).To(HavePrefix("asked for: AddDevice/"))
	w.g.Expect(w.mfa("reconcile", "connection/production", "-n", w.mfaNamespace).out).To(ContainSubstring("Ready is True"))
}

// TestReconcileOfASuspendedUser: it is refused at once, for the operator would not look.
func TestReconcileOfASuspendedUser(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true }))
	got := w.mfa("reconcile", "alice")
	w.g.Expect(got.code).To(Equal(1))
	w.g.Expect(got.err).To(ContainSubstring("spec.suspend"))
	w.g.Expect(w.get("alice").Annotations).To(BeEmpty())
	w.g.Expect(w.mfa("reconcile", "nobody").err).To(ContainSubstring("it does not exist"))
}

// TestReconcileThatDoesNotEndWell: whoever chains a command to it, the end of the old token say, must not get there.
func TestReconcileThatDoesNotEndWell(t *testing.T) {
	w := newWorld(t)
	w.operate()
	w.ready()
	w.sim.RevokeToken(w.sim.Token())
	got := w.mfa("reconcile", "connection/production", "-n", w.mfaNamespace)
	w.g.Expect(got.code).To(Equal(1), got.out)
	w.g.Expect(got.err).To(ContainSubstring("error: Ready is False, TokenRejected: "))
	w.g.Expect(w.mfa("reconcile", "connection/production").err).To(ContainSubstring("-n names the namespace"))
}

// TestAnnotationsStay: what a command sets belongs to nobody that a GitOps tool cleans up after.
func TestAnnotationsStay(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice"))
	w.g.Expect(w.mfa("reconcile", "alice", "--wait=false").code).To(BeZero())
	var owners []string
	for _, entry := range w.get("alice").ManagedFields {
		if strings.Contains(string(entry.FieldsV1.Raw), v1alpha1.AnnotationReconcileRequestedAt) {
			owners = append(owners, entry.Manager)
		}
	}
	w.g.Expect(owners).To(HaveExactElements(plugin.FieldOwner))
	w.g.Expect(plugin.FieldOwner).NotTo(HavePrefix("kubectl"), "Flux takes such fields for its own, and removes them with its next apply")
}

// TestIssueIsHeld: a request that the operator holds is told of at once, with its reason.
func TestIssueIsHeld(t *testing.T) {
	w := newWorld(t, func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(0)) })
	w.sim.Seed(mfasim.Account{Login: "alice@example.com", Status: mfasim.StatusActivated})
	w.create(w.user("alice", adopt))
	w.operate()
	w.settled("alice")
	got := w.mfa("issue", "alice", "--purpose", "Restore")
	w.g.Expect(got.code).To(Equal(1))
	w.g.Expect(got.err).To(ContainSubstring("the request waits, and is dealt with once that is over: RemovalHeld: "))
}

// TestIssueThatCannotBe: what can be seen to be of no use is not asked for.
func TestIssueThatCannotBe(t *testing.T) {
	w := newWorld(t)
	active := inState(v1alpha1.StateActivated)
	w.stand("fine", metav1.ConditionTrue, v1alpha1.ReasonReconciled, active)
	w.stand("new", metav1.ConditionFalse, v1alpha1.ReasonRateLimited)
	w.stand("conflict", metav1.ConditionFalse, v1alpha1.ReasonNotAllowed, active, stalledToo)
	for name, edit := range map[string]func(user){
		"suspended": func(u user) { u.Spec.Suspend = true },
		"observed":  func(u user) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve },
	} {
		w.stand(name, metav1.ConditionTrue, v1alpha1.ReasonReconciled, active)
		changed := w.get(name)
		edit(changed)
		w.g.Expect(w.client.Update(w.ctx, changed)).To(Succeed())
	}
	cases := map[string]struct {
		user, purpose, want string
	}{
		"a purpose that is none":         {"fine", "Party", `there is no purpose "Party"`},
		"an account that is activated":   {"fine", "Enrollment", "this one is Activated"},
		"no account yet":                 {"new", "Enrollment", "there is no account yet: RateLimited"},
		"a user who is stalled":          {"conflict", "AddDevice", "needs somebody first: NotAllowed"},
		"a user who is suspended":        {"suspended", "AddDevice", "is suspended"},
		"a user who is only observed":    {"observed", "AddDevice", "only observes"},
		"a user who does not exist":      {"nobody", "AddDevice", "it does not exist"},
		"nobody deals with it in time":   {"fine", "AddDevice", "not dealt with within 1s, and it still stands: Reconciled"},
		"an account in an unheard state": {"fine", "Unlock", "Unlock is for an account that is PinBlocked"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := w.mfa("issue", tc.user, "--purpose", tc.purpose, "--timeout", "1s")
			g.Expect(got.code).To(Equal(1))
			g.Expect(got.err).To(ContainSubstring(tc.want))
		})
	}
	for _, name := range []string{"new", "conflict", "suspended", "observed"} {
		w.g.Expect(w.get(name).Annotations).NotTo(HaveKey(v1alpha1.AnnotationIssueCode), name)
	}
}
