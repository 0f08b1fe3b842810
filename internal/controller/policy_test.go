package controller

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestMatches(t *testing.T) {
	cases := map[string]struct {
		yes, no []string
	}{
		"*@example.com":       {[]string{"a@example.com", "@example.com", "A@EXAMPLE.com"}, []string{"a@example.com.evil.org", "a@example.comx", "a@exampleXcom", "example.com", ""}},
		"*":                   {[]string{"", "anything"}, nil},
		"alice":               {[]string{"alice", "ALICE"}, []string{"alice2", "malice", ""}},
		"a*b*c":               {[]string{"abc", "aXbYc", "abbcc", "abcbc"}, []string{"ab", "ac", "acb", "xabc"}},
		"a*a":                 {[]string{"aa", "aba"}, []string{"a"}},
		"a**b":                {[]string{"ab", "axb"}, []string{"a"}},
		"a.b?[c]":             {[]string{"a.b?[c]"}, []string{"axb?[c]", "a.bx[c]", "a.b?c"}},
		"*-admin-*@corp.test": {[]string{"x-admin-y@corp.test", "-admin-@corp.test"}, []string{"x-admin@corp.test", "x-admin-y@corp.test2"}},
	}
	for pattern, tc := range cases {
		t.Run(pattern, func(t *testing.T) {
			g := NewWithT(t)
			for _, text := range tc.yes {
				g.Expect(matches(pattern, text)).To(BeTrue(), text)
			}
			for _, text := range tc.no {
				g.Expect(matches(pattern, text)).To(BeFalse(), text)
			}
		})
	}
}

// FuzzMatches holds the matcher against the plainest one there is.
func FuzzMatches(f *testing.F) {
	f.Add("*@example.com", "a@example.com")
	f.Add("a*a*", "aXa")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 24 || strings.Count(pattern, "*") > 4 {
			return // the plain one takes exponential time
		}
		if got, want := matches(pattern, text), plainMatch(strings.ToLower(pattern), strings.ToLower(text)); got != want {
			t.Errorf("matches(%q, %q) = %v", pattern, text, got)
		}
	})
}

func plainMatch(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return plainMatch(pattern[1:], text) || text != "" && plainMatch(pattern, text[1:])
	}
	return text != "" && pattern[0] == text[0] && plainMatch(pattern[1:], text[1:])
}

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
