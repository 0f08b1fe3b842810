package argocd

import (
	"testing"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/trustbuilder-mfa/operator/test/gitops/states"
)

// TestHealth asks Argo CD for the health of every state that the operator can bring about.
func TestHealth(t *testing.T) {
	scripts := overrides(t)
	for name, state := range states.All(t) {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			// What Argo CD shows and waits for.
			shown, err := health.GetResourceHealth(state.Object, scripts)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(shown.Status)).To(Equal(state.Health))

			// What the script says, which is not asked about an object that is being deleted.
			said, err := scripts.GetResourceHealth(state.Object)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(said.Status).To(Equal(shown.Status))
			g.Expect(said.Message).NotTo(BeEmpty())
			if state.Health == "Healthy" || state.Health == "Degraded" {
				ready := condition(g, state.Object, "Ready")
				g.Expect(said.Message).To(HavePrefix("%s: %s", ready["reason"], ready["message"]))
			}
		})
	}
}

// TestHealthMessages: what there is to know or to do beside Ready is in the message, for nobody reads conditions in a tree
// of resources.
func TestHealthMessages(t *testing.T) {
	cases := map[string][]string{
		"mfauser/reconciled":            {"WaitingForUser: the person has yet to enrol a device"},
		"mfauser/enrolled":              {"Reconciled: the account is as stated"},
		"mfauser/code-expired":          {"EnrollmentExpired", "raise spec.code.generation"},
		"mfauser/code-lost":             {"CodeLost", "raise spec.code.generation"},
		"mfauser/changes-pending":       {"status.pendingChanges"},
		"mfauser/suspended":             {"spec.suspend"},
		"mfauser/not-seen":              {"see whether it runs"},
		"mfauser/rate-limited":          {"RateLimited: the service asked to slow down"},
		"mfauser/connection-not-found":  {"ConnectionNotFound"},
		"mfauser/removal-held":          {"changeGuard"},
		"mfauser/deleting-unclear":      {"Being deleted", "OrphanUnclear", "orphan"},
		"mfauser/deleting-held":         {"Being deleted", "RemovalHeld", "changeGuard"},
		"mfauser/request-refused":       {"correct the manifest"},
		"mfaconnection/changes-held":    {"Reconciled", "ChangesHeld: removals held: 2", "team-a (2)", "approve-removals"},
		"mfaconnection/expires-7-d":     {"TokenExpiring", "put a new one into the Secret"},
		"mfaconnection/listing-stale":   {"ListingStale"},
		"mfaconnection/deleting-in-use": {"Being deleted", "1, in the namespaces: team-a (1)"},
		"mfaconnection/token-rejected":  {"put a new one into the Secret"},
	}
	scripts, all := overrides(t), states.All(t)
	for name, parts := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(all).To(HaveKey(name))
			said, err := scripts.GetResourceHealth(all[name].Object)
			g.Expect(err).NotTo(HaveOccurred())
			for _, part := range parts {
				g.Expect(said.Message).To(ContainSubstring(part))
			}
		})
	}
}

// TestHealthOfHalfAnObject: Argo CD also asks about what the operator has not written yet.
func TestHealthOfHalfAnObject(t *testing.T) {
	g := NewWithT(t)
	scripts := overrides(t)
	for _, kind := range []string{"MFAUser", "MFAConnection"} {
		for _, status := range []any{nil, map[string]any{}, map[string]any{"conditions": []any{}}, map[string]any{"observedGeneration": int64(-1)}} {
			object := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "trustbuilder-mfa.dev/v1alpha1", "kind": kind,
				"metadata": map[string]any{"name": "x", "generation": int64(1)}, "spec": map[string]any{}, "status": status,
			}}
			said, err := scripts.GetResourceHealth(object)
			g.Expect(err).NotTo(HaveOccurred(), "%s %v", kind, status)
			g.Expect(said.Status).To(Equal(health.HealthStatusProgressing), "%s %v", kind, status)
		}
	}
}

func condition(g Gomega, object *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	g.Expect(err).NotTo(HaveOccurred())
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == kind {
			return c
		}
	}
	return nil
}
