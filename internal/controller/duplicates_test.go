package controller

import (
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const duplicate = "False DuplicateLogin Stalled"

// secondConnection is another way to the same service.
func (w *testWorld) secondConnection(edits ...func(*v1alpha1.MFAConnection)) {
	conn := w.connection()
	conn.Name = "second"
	for _, edit := range edits {
		edit(conn)
	}
	w.create(conn)
	w.reconcileNamed("second")
}

// addConnection is secondConnection for a user, before it has had a pass: nothing says which service it leads to.
func (w *testWorld) addConnection(u *v1alpha1.MFAUser, edits ...func(*v1alpha1.MFAConnection)) *v1alpha1.MFAConnection {
	conn := w.connection()
	conn.Name, u.Spec.ConnectionRef.Name = "second", "second"
	for _, edit := range edits {
		edit(conn)
	}
	w.create(conn)
	return conn
}

// TestDuplicates: of two manifests for one login of one service exactly one gets the account, and the other is told.
func TestDuplicates(t *testing.T) {
	cases := map[string]func(w *testWorld) *v1alpha1.MFAUser{
		"same namespace": func(w *testWorld) *v1alpha1.MFAUser { return w.user("alice2") },
		"other case":     func(w *testWorld) *v1alpha1.MFAUser { return w.user("alice2", loginOf("ALICE@example.com")) },
		"other namespace": func(w *testWorld) *v1alpha1.MFAUser {
			return w.user("alice2", func(u *v1alpha1.MFAUser) { u.Namespace = w.mfaNamespace })
		},
		"other connection": func(w *testWorld) *v1alpha1.MFAUser {
			w.secondConnection()
			return w.user("alice2", func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "second" })
		},
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			one, two := w.user("alice"), make(w)
			loginOf("alice@example.com")(one)
			if two.Spec.Login == "alice2@example.com" {
				loginOf("alice@example.com")(two)
			}
			w.create(one, two)
			w.g.Expect(two.CreationTimestamp.Before(&one.CreationTimestamp)).To(BeFalse())
			winner, loser := one, two
			if one.CreationTimestamp.Equal(&two.CreationTimestamp) && two.UID < one.UID {
				winner, loser = two, one // made in the same second: the UID decides
			}

			w.g.Expect(ready(w.settled(loser).Status.Conditions)).To(Equal(duplicate), "also before the owner has come to it")
			w.g.Expect(ready(w.settled(winner).Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(ready(w.settled(loser).Status.Conditions)).To(Equal(duplicate))
			w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(1))
			w.g.Expect(w.sim.CodesIssued("alice@example.com")).To(Equal(1))

			// The owner goes, and with it the account: the other goes on.
			gone := w.settled(winner)
			gone.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			w.g.Expect(w.client.Update(w.ctx, gone)).To(Succeed())
			w.g.Expect(w.client.Delete(w.ctx, gone)).To(Succeed())
			w.settled(gone)
			w.g.Expect(ready(w.settled(loser).Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(2))
		})
	}
}

// TestDuplicatesUnderOpaqueTokens: that two connections lead to one service shows in the account itself, where no token says so.
func TestDuplicatesUnderOpaqueTokens(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	w.sim.AddOpaqueToken("opaque-token")
	w.create(w.tokenSecret("opaque-token"), w.connection())
	w.reconcileConnection()
	w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))

	w.secondConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
	second := w.user("second", loginOf("alice@example.com"), func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "second" })
	w.g.Expect(ready(w.apply(second).Status.Conditions)).To(Equal(duplicate))
	w.deleteUser("second")
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())
}

func loginOf(login string) func(*v1alpha1.MFAUser) {
	return func(u *v1alpha1.MFAUser) { u.Spec.Login = login }
}

// TestHolderKeepsAccount: who holds the account keeps it against an older manifest that may have it only now, also while
// the creation is still open, and while its own removal does not get through.
func TestHolderKeepsAccount(t *testing.T) {
	// contested makes an older manifest that is not allowed, and a younger one.
	contested := func(t *testing.T) (w *testWorld, allow func()) {
		w = newTestWorld(t, mfasim.Options{})
		w.g.Expect(ready(w.apply(w.user("old", loginOf("alice@example.com"), func(u *v1alpha1.MFAUser) {
			u.Spec.Role = new(v1alpha1.RoleManager)
		})).Status.Conditions)).To(Equal("False NotAllowed Stalled"))
		w.create(w.user("young", loginOf("alice@example.com"), func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }))
		return w, func() { w.edit("old", func(u *v1alpha1.MFAUser) { u.Spec.Role = nil }) }
	}
	t.Run("held", func(t *testing.T) {
		w, allow := contested(t)
		w.g.Expect(ready(w.settle("young").Status.Conditions)).To(Equal("True Reconciled"), "who is not allowed keeps nobody from a login")
		allow()
		w.g.Expect(ready(w.settle("old").Status.Conditions)).To(Equal(duplicate))
		w.g.Expect(ready(w.settle("young").Status.Conditions)).To(Equal("True Reconciled"))
	})
	t.Run("being made", func(t *testing.T) {
		w, allow := contested(t)
		w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
		_, err := w.pass("young")
		w.g.Expect(err).To(HaveOccurred())
		allow()
		w.g.Expect(ready(w.settle("old").Status.Conditions)).To(Equal(duplicate))
		w.g.Expect(ready(w.settle("young").Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(1))
	})
	t.Run("being removed", func(t *testing.T) {
		w, allow := contested(t)
		w.settle("young")
		allow()
		w.sim.SetFault(mfasim.Fault{Operation: "DeleteAccount", Kind: mfasim.FaultStatus, Status: http.StatusBadGateway})
		w.g.Expect(w.client.Delete(w.ctx, w.get("young"))).To(Succeed())
		_, err := w.pass("young")
		w.g.Expect(err).To(HaveOccurred())
		w.g.Expect(ready(w.settle("old").Status.Conditions)).To(Equal(duplicate), "a terminating owner still owns")

		w.sim.ClearFaults()
		w.settle("young")
		w.g.Expect(ready(w.settle("old").Status.Conditions)).To(Equal("True Reconciled"))
	})
}

// TestSquatters: an older manifest that may not have the account keeps nobody from it.
func TestSquatters(t *testing.T) {
	cases := map[string]func(w *testWorld, u *v1alpha1.MFAUser){
		"a namespace that is not allowed": func(w *testWorld, u *v1alpha1.MFAUser) {
			u.Namespace = strings.Replace(w.namespace, "team", "outside", 1)
			w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: u.Namespace}})
		},
		"a role that is not allowed":  func(_ *testWorld, u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleAdministrator) },
		"a group that is not allowed": func(_ *testWorld, u *v1alpha1.MFAUser) { u.Spec.Groups = group("board", v1alpha1.RoleUser) },
		"a login that is not allowed there": func(w *testWorld, u *v1alpha1.MFAUser) {
			w.secondConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
			u.Spec.ConnectionRef.Name = "second"
		},
		"no such connection": func(_ *testWorld, u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "missing" },
		"another service": func(w *testWorld, u *v1alpha1.MFAUser) {
			w.secondConnection(func(c *v1alpha1.MFAConnection) { c.Spec.URL = "https://other.example.com" })
			u.Spec.ConnectionRef.Name = "second"
		},
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			squatter := w.user("squatter", loginOf("alice@example.com"))
			edit(w, squatter)
			w.create(squatter)
			w.settled(squatter)
			w.clock.Step(time.Second)

			w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(ready(w.settled(squatter).Status.Conditions)).NotTo(HavePrefix("True"))
			w.oneLiveCode("alice")
		})
	}
}

func group(name string, role v1alpha1.Role) []v1alpha1.GroupMembership {
	return []v1alpha1.GroupMembership{{Name: name, Role: role}}
}

// TestRemovalOfOneOfTwoHolders: two manifests can come to hold one account, before it is known that their connections lead to one
// service. The one that goes leaves the account to the one that stays.
func TestRemovalOfOneOfTwoHolders(t *testing.T) {
	cases := map[string]struct {
		other func(w *testWorld, u *v1alpha1.MFAUser)
		left  bool
	}{
		"through one connection": {func(*testWorld, *v1alpha1.MFAUser) {}, true},
		"through another connection": {func(w *testWorld, u *v1alpha1.MFAUser) {
			w.addConnection(u)
		}, true},
		"suspended": {func(_ *testWorld, u *v1alpha1.MFAUser) { u.Spec.Suspend = true }, true},
		"of another service": {func(w *testWorld, u *v1alpha1.MFAUser) {
			conn := w.addConnection(u)
			conn.Status.ServiceID = "9"
			w.g.Expect(w.client.Status().Update(w.ctx, conn)).To(Succeed())
		}, false},
		"at another endpoint": {func(w *testWorld, u *v1alpha1.MFAUser) {
			w.addConnection(u, func(c *v1alpha1.MFAConnection) { c.Spec.URL = "https://other.example.com" })
		}, false},
		"without a connection":  {func(_ *testWorld, u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "missing" }, false},
		"that only observes":    {func(_ *testWorld, u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }, false},
		"of another account":    {func(_ *testWorld, u *v1alpha1.MFAUser) { u.Status.AccountID = "9" }, false},
		"that goes too":         {func(_ *testWorld, u *v1alpha1.MFAUser) { u.Annotations = map[string]string{"goes": "too"} }, false},
		"that has not begun to": {func(_ *testWorld, u *v1alpha1.MFAUser) { u.Status.AccountID = "" }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			one := w.apply(w.user("alice"))
			two := w.user("alice2", loginOf(one.Spec.Login))
			two.Finalizers, two.Status.AccountID = []string{v1alpha1.Finalizer}, one.Status.AccountID
			tc.other(w, two)
			status := two.Status
			w.create(two)
			two.Status = status
			w.g.Expect(w.client.Status().Update(w.ctx, two)).To(Succeed())
			if two.Annotations["goes"] != "" {
				w.deleteObject(two)
			}
			w.sim.ResetCalls()
			w.happened()

			w.deleteUser("alice")

			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.remote(one.Spec.Login).Blocked).To(Equal(!tc.left))
			if tc.left {
				w.g.Expect(w.sim.Calls()).To(BeEmpty(), "let go without a call")
				w.g.Expect(w.happened()).To(Equal([]string{"Left"}))
				w.g.Expect(w.removals()).To(BeEmpty())
			}
		})
	}
}
