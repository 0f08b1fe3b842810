package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// What happens in the service between two listings, and is met by something else than the next one.

// TestEditFoundByAFreshLook: a request for a code reads the account, and what it reads is in the picture from then on. An
// edit in the console that it meets is corrected all the same, though no listing will tell of it.
func TestEditFoundByAFreshLook(t *testing.T) {
	for name, value := range map[string]string{"a request that is refused": "AddDevice/1", "a request that is met": "Enrollment/1"} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }))
			w.sim.ResetCalls()
			w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.FirstName = "Mallory" })).To(Succeed())
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: value} })

			w.drive(time.Minute, "alice")

			w.g.Expect(w.sim.Calls()).NotTo(HaveKey("ListAccounts"))
			w.g.Expect(w.remote(aliceLogin).FirstName).To(Equal("Alice"))
			w.g.Expect(w.get("alice").Status.HandledIssueCodes).To(ContainElement(value))
		})
	}
}

// TestGroupsOfAnAccountMadeAgain: a restart reads the groups of nobody who was in sync. An account that went meanwhile, and
// is made again, gets its groups, wherever in the pass that makes it the operator is killed.
func TestGroupsOfAnAccountMadeAgain(t *testing.T) {
	died := true
	for writes := 1; died; writes++ {
		t.Run(fmt.Sprintf("killed after %d writes", writes), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.AddGroup("staff")
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) {
				u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}}
			}))
			w.sim.DeleteAccount(aliceLogin)
			w.startOperator()
			w.reconcileConnection()
			w.settle("alice") // misses the account, and says so
			w.clock.Step(61 * time.Second)

			died = w.killAfter(writes, "alice")
			w.drive(5*time.Minute, "alice")

			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(w.sim.Memberships(aliceLogin)).To(HaveLen(1))
			w.g.Expect(writes).To(BeNumerically("<", 15), "the pass ends")
		})
	}
}

// TestUsedCodeOfAPrivilegedLeaver: an account that may not be touched stays when its manifest goes, but a code that was
// used does not.
func TestUsedCodeOfAPrivilegedLeaver(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
	w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.Role = mfasim.RoleAdministrator })).To(Succeed())

	w.deleteUser("alice")

	user := w.get("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False PrivilegedAccount Stalled"))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
	w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
	w.g.Expect(w.remote(aliceLogin).Blocked).To(BeFalse())
}

// TestNamespaceWakesRivals: whether a namespace is admitted may decide whose a login is, so who waits for it elsewhere is told.
func TestNamespaceWakesRivals(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(w.user("alice"), w.user("bob"), w.user("owner", loginOf(aliceLogin), func(u *v1alpha1.MFAUser) { u.Namespace = w.mfaNamespace }))
	woken := w.listenTo(w.users.users)

	requests := w.users.usersOfNamespace(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.mfaNamespace}})

	w.g.Expect(requests).To(HaveLen(1))
	w.g.Expect(requests[0].Name).To(Equal("owner"))
	w.g.Expect(woken.woken).To(Equal(map[string]int{"alice": 1}))
}
