package api_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestDefaults compares the whole spec: a default that comes or goes is seen. The managed fields of a user have none.
func TestDefaults(t *testing.T) {
	user := map[string]any{
		"connectionRef":  map[string]any{"name": "production"},
		"login":          "minimal@example.com",
		"adoptionPolicy": "Never", "deletionPolicy": "Block", "managementPolicy": "Full",
		"code": map[string]any{
			"generation": int64(1), "purpose": "Enrollment", "type": "Link", "delivery": "Secret", "renewal": "Never", "activation": "Later",
		},
	}
	connection := map[string]any{
		"url":               "https://kiwi.myinwebo.com",
		"tokenSecretRef":    map[string]any{"name": "token", "key": "token"},
		"resyncInterval":    "10m",
		"rateLimit":         map[string]any{"requestsPerSecond": int64(5), "burst": int64(10)},
		"codeLifetimes":     map[string]any{"short": "15m", "inactive": "504h", "link": "504h"},
		"allowedNamespaces": map[string]any{"from": "Same"},
		"policy":            map[string]any{"roles": []any{"User"}, "adoption": "Deny"},
		"changeGuard":       map[string]any{"maxRemovals": int64(10), "window": "1h"},
	}
	empty := map[string]any{}
	cases := map[string]struct {
		kind string
		set  fields
		want map[string]any
	}{
		"user":                 {kind: "MFAUser", want: user},
		"user with empty code": {kind: "MFAUser", set: fields{"code": empty}, want: user},
		"connection":           {kind: "MFAConnection", want: connection},
		"connection of empty blocks": {kind: "MFAConnection", want: connection, set: fields{
			"rateLimit": empty, "codeLifetimes": empty, "allowedNamespaces": empty, "policy": empty, "changeGuard": empty,
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			o := object(g, tc.kind, "default", "minimal", tc.set)
			g.Expect(admin.Create(t.Context(), o, client.DryRunAll)).To(Succeed())
			g.Expect(o.Object["spec"]).To(Equal(tc.want))
		})
	}
}

// TestNotSeenIsNotDone: an object without status would count as done for Flux and everybody else who asks kstatus.
func TestNotSeenIsNotDone(t *testing.T) {
	for _, kind := range []string{"MFAUser", "MFAConnection"} {
		t.Run(kind, func(t *testing.T) {
			g := NewWithT(t)
			o := object(g, kind, "default", "new", nil)
			g.Expect(admin.Create(t.Context(), o, client.DryRunAll)).To(Succeed())
			g.Expect(o.Object["status"]).To(Equal(map[string]any{"observedGeneration": int64(-1)}))
		})
	}
}

// TestStatedValuesStay: zero and empty are values of their own, not absence.
func TestStatedValuesStay(t *testing.T) {
	cases := map[string]struct {
		kind string
		set  fields
	}{
		"no groups":      {kind: "MFAUser", set: fields{"groups": []any{}}},
		"cleared mail":   {kind: "MFAUser", set: fields{"email": ""}},
		"no code":        {kind: "MFAUser", set: fields{"code.generation": int64(0)}},
		"guard of zero":  {kind: "MFAConnection", set: fields{"changeGuard.maxRemovals": int64(0)}},
		"not suspended":  {kind: "MFAUser", set: fields{"suspend": false}},
		"empty patterns": {kind: "MFAConnection", set: fields{"policy.groups": []any{}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			o := object(g, tc.kind, "default", "stated", tc.set)
			g.Expect(admin.Create(t.Context(), o, client.DryRunAll)).To(Succeed())
			for path, want := range tc.set {
				g.Expect(at(o, path)).To(Equal(want))
			}
		})
	}
}

// TestListsAreReplaced: whoever applies a list sets all of it. Merged lists would leave memberships that no manifest states.
func TestListsAreReplaced(t *testing.T) {
	cases := map[string]struct {
		kind, path    string
		first, second []any
	}{
		"groups of a user":   {kind: "MFAUser", path: "groups", first: []any{group("a", "User")}, second: []any{group("b", "User")}},
		"login patterns":     {kind: "MFAConnection", path: "policy.loginPatterns", first: []any{"a*"}, second: []any{"b*"}},
		"groups of a policy": {kind: "MFAConnection", path: "policy.groups", first: []any{"a*"}, second: []any{"b*"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			namespace := newNamespace(t.Context(), g)
			apply := func(owner string, list []any) *unstructured.Unstructured {
				o := object(g, tc.kind, namespace, "applied", fields{tc.path: list})
				what := client.ApplyConfigurationFromUnstructured(o)
				g.Expect(admin.Apply(t.Context(), what, client.FieldOwner(owner), client.ForceOwnership)).To(Succeed())
				return o
			}
			apply("first", tc.first)
			g.Expect(at(apply("second", tc.second), tc.path)).To(Equal(tc.second))
		})
	}
}

func TestSpecIsRequired(t *testing.T) {
	for _, kind := range []string{"MFAUser", "MFAConnection"} {
		t.Run(kind, func(t *testing.T) {
			g := NewWithT(t)
			o := object(g, kind, "default", "empty", nil)
			delete(o.Object, "spec")
			expectOutcome(g, admin.Create(t.Context(), o, client.DryRunAll), "spec: Required value")
		})
	}
}
