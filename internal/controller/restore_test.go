package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRestoreIsARemoval: the use of a Restore code takes all other devices away, so it is on record before it is asked for.
func TestRestoreIsARemoval(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusActivated)
	w.ask("AddDevice/1")
	w.g.Expect(w.removals()).To(BeEmpty())
	w.ask("Restore/1")
	w.g.Expect(w.removals()).To(Equal([]string{"Restore " + aliceLogin}))
	w.oneLiveCode("alice")
}

// TestRestoreHeld: above the guard's limit no Restore code is issued, and the one before stays, until it is approved.
func TestRestoreHeld(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(2)) })
	var names []string
	for n := range 3 {
		name := fmt.Sprintf("user%d", n)
		names = append(names, name)
		w.create(w.user(name))
		w.settle(name)
		w.g.Expect(w.sim.UpdateAccount(name+"@example.com", func(a *mfasim.Account) { a.Status = mfasim.StatusActivated })).To(Succeed())
	}
	w.tick(11 * time.Minute)
	for _, name := range names {
		w.settle(name)
	}
	w.sim.ResetCalls()
	for _, name := range names {
		w.edit(name, func(u *v1alpha1.MFAUser) {
			u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: "Restore/all"}
		})
	}
	for _, name := range names {
		w.g.Expect(ready(w.settle(name).Status.Conditions)).To(Equal("False RemovalHeld Stalled"), "%s: those that ask together are counted together", name)
	}
	w.g.Expect(w.sim.Calls()).NotTo(HaveKey("IssueCode"))
	w.editConnection(func(c *v1alpha1.MFAConnection) {
		c.Annotations = map[string]string{v1alpha1.AnnotationApproveRemovals: "3/yes"}
	})
	for _, name := range names {
		w.g.Expect(ready(w.settle(name).Status.Conditions)).To(Equal("True Reconciled"), name)
		w.oneLiveCode(name)
	}
}

// TestHeldRestoreUndone: taking the annotation away wakes a user whose request is held, who asks for nothing then.
func TestHeldRestoreUndone(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(0)) })
	w.inState(mfasim.StatusActivated)
	held := w.ask("Restore/1")
	w.g.Expect(ready(held.Status.Conditions)).To(Equal("False RemovalHeld Stalled"))
	undone := held.DeepCopy()
	undone.Annotations = nil
	w.g.Expect(askedFor(userAnnotations).Update(event.UpdateEvent{ObjectOld: held, ObjectNew: undone})).To(BeTrue())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = nil })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
}

// TestRestoreOfProtectedAccounts: not the token's own, not the last administrator, and under an opaque token nobody with power.
func TestRestoreOfProtectedAccounts(t *testing.T) {
	administrators := func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.Roles = []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager, v1alpha1.RoleAdministrator}
		c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways
	}
	cases := map[string]struct {
		opts   mfasim.Options
		seed   []mfasim.Account
		opaque bool
		want   string
	}{
		"the token's own": {opts: mfasim.Options{AdminLogin: aliceLogin}, want: "False ProtectedAccount Stalled"},
		"the last administrator": {
			opts: mfasim.Options{NoAdmin: true}, seed: []mfasim.Account{{Login: aliceLogin, Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated}},
			want: "False ProtectedAccount Stalled",
		},
		"a manager under an opaque token": {
			seed: []mfasim.Account{{Login: aliceLogin, Role: mfasim.RoleManager, Status: mfasim.StatusActivated}}, opaque: true,
			want: "False ProtectedAccount Stalled",
		},
		"one of two administrators": {
			seed: []mfasim.Account{{Login: aliceLogin, Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated}}, want: "True Reconciled",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, tc.opts, administrators)
			for _, account := range tc.seed {
				w.sim.Seed(account)
			}
			if tc.opaque {
				w.sim.AddOpaqueToken("an-opaque-token")
				w.setToken("an-opaque-token")
			}
			w.tick(11 * time.Minute)
			w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))
			user := w.ask("Restore/1")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.want))
			w.g.Expect(w.sim.Calls()["IssueCode"] > 0).To(Equal(tc.want == "True Reconciled"))
			w.g.Expect(len(w.removals()) > 0).To(Equal(tc.want == "True Reconciled"))
		})
	}
}
