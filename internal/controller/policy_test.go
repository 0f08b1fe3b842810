package controller

import (
	"testing"

	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestPolicy: what the connection's owner does not allow is neither made nor changed, and heals when it is allowed.
func TestPolicy(t *testing.T) {
	type conn = *v1alpha1.MFAConnection
	type user = *v1alpha1.MFAUser
	roles := []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager}
	all := func(c conn) {
		c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll}
		c.Spec.Policy.LoginPatterns, c.Spec.Policy.Roles, c.Spec.Policy.Groups = []string{"*"}, roles, []string{"*"}
	}
	cases := map[string]struct {
		forbid func(conn)
		ask    func(user)
	}{
		"the namespace, by Same": {func(c conn) { c.Spec.AllowedNamespaces.From = v1alpha1.FromSame }, func(user) {}},
		"the namespace, by Selector": {func(c conn) {
			c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"world": "none"}}}
		}, func(user) {}},
		"the login":           {func(c conn) { c.Spec.Policy.LoginPatterns = []string{"*@example.org", "bob@*"} }, func(user) {}},
		"the role":            {func(c conn) { c.Spec.Policy.Roles = nil }, func(u user) { u.Spec.Role = new(v1alpha1.RoleManager) }},
		"the role in a group": {func(c conn) { c.Spec.Policy.Roles = nil }, func(u user) { u.Spec.Groups = group("staff", v1alpha1.RoleManager) }},
		"the group":           {func(c conn) { c.Spec.Policy.Groups = []string{"staf", "board*"} }, func(u user) { u.Spec.Groups = group("staff", v1alpha1.RoleUser) }},
		"any group":           {func(c conn) { c.Spec.Policy.Groups = nil }, func(u user) { u.Spec.Groups = group("staff", v1alpha1.RoleUser) }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, all, tc.forbid)
			w.sim.AddGroup("staff")
			w.apply(w.user("alice", tc.ask, func(u user) { u.Spec.FirstName = new("Alice") }))
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
			w.g.Expect(w.remoteWrites()).To(BeZero(), "neither made nor given a code")
			w.g.Expect(w.get("alice").Finalizers).To(BeEmpty())

			w.editConnection(all)
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"), "it heals")
			w.oneLiveCode("alice")

			// Taken back, the account stays as it is, even where it differs from the manifest.
			w.editConnection(tc.forbid)
			w.console("alice@example.com", func(a *mfasim.Account) { a.FirstName = "Mallory" })
			before := w.remote("alice@example.com")
			w.sim.ResetCalls()
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
			w.g.Expect(w.remoteWrites()).To(BeZero())
			w.g.Expect(w.remote("alice@example.com")).To(Equal(before))

			w.editConnection(all)
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(w.remote("alice@example.com").FirstName).To(Equal("Alice"))
		})
	}
}
