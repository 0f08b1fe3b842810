package argocd

import (
	"testing"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/trustbuilder-mfa/operator/test/gitops/states"
)

// least is a manifest that states as little as can be.
func least(live *unstructured.Unstructured) map[string]any {
	if live.GetKind() == "MFAUser" {
		spec := live.Object["spec"].(map[string]any)
		return map[string]any{"connectionRef": spec["connectionRef"], "login": spec["login"]}
	}
	return map[string]any{
		"tokenSecretRef":    map[string]any{"name": "token"},
		"allowedNamespaces": map[string]any{"from": "All"},
		"policy":            map[string]any{"loginPatterns": []any{"*@example.com"}},
	}
}

// TestNoDiff: whatever the operator has written, and whatever the API server has filled in, Argo CD's own comparison finds
// nothing different. So there is nothing that ignoreDifferences would have to name.
func TestNoDiff(t *testing.T) {
	for name, state := range states.All(t) {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(differs(g, state.Object, nil)).To(BeFalse())
		})
	}
}

// TestDiffOfSuspend: what somebody suspends by hand or by the action stays so, unless the manifest itself speaks of it.
func TestDiffOfSuspend(t *testing.T) {
	cases := map[string]struct {
		stated any
		want   bool
	}{
		"unstated": {nil, false}, "stated as false": {false, true}, "stated as true": {true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(differs(g, states.All(t)["mfauser/suspended"].Object, tc.stated)).To(Equal(tc.want))
		})
	}
}

// differs asks for the three-way comparison of a manifest, which was applied before, with the live object.
func differs(g Gomega, live *unstructured.Unstructured, suspend any) bool {
	spec := least(live)
	if suspend != nil {
		spec["suspend"] = suspend
	}
	manifest := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": live.GetAPIVersion(), "kind": live.GetKind(), "spec": spec,
		"metadata": map[string]any{"name": live.GetName(), "namespace": live.GetNamespace()},
	}}
	applied, err := manifest.MarshalJSON()
	g.Expect(err).NotTo(HaveOccurred())
	live.SetAnnotations(map[string]string{diff.AnnotationLastAppliedConfig: string(applied)})
	result, err := diff.Diff(manifest, live)
	g.Expect(err).NotTo(HaveOccurred())
	return result.Modified
}
