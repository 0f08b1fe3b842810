package api_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestConfigDefault: everything was accepted, and nothing violates the namespace's pod security or is deprecated.
func TestConfigDefault(t *testing.T) {
	g := NewWithT(t)
	g.Expect(applied).To(ContainSubstring("deployment.apps/trustbuilder-mfa-controller-manager created"))
	g.Expect(applied).NotTo(ContainSubstring("Warning"))
}

// TestSamples: the samples are valid as they are.
func TestSamples(t *testing.T) {
	g := NewWithT(t)
	out, err := kubectl(t.Context(), "apply", "-k", "../../config/samples")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out).To(ContainSubstring("mfauser.trustbuilder-mfa.dev/alice created"))
	g.Expect(out).NotTo(ContainSubstring("Warning"))
}

// TestUserRoles holds who may do what with our kinds: status is the operator's alone, connections are the platform team's.
func TestUserRoles(t *testing.T) {
	const prefix = "trustbuilder-mfa-"
	users, connections := "mfausers", "mfaconnections"
	cases := map[string]struct {
		may, mayNot []string // verb and resource
	}{
		"view": {
			may:    []string{"get " + users, "list " + users, "watch " + users},
			mayNot: []string{"create " + users, "patch " + users, "get " + connections},
		},
		"edit": {
			may:    []string{"get " + users, "create " + users, "update " + users, "patch " + users, "delete " + users, "deletecollection " + users},
			mayNot: []string{"patch " + users + "/status", "update " + users + "/status", "get " + connections, "create " + connections},
		},
		"admin": {
			may:    []string{"create " + users},
			mayNot: []string{"update " + users + "/status", "get " + connections, "create " + connections, "update " + connections + "/status"},
		},
		prefix + "mfaconnection-view": {
			may:    []string{"get " + connections, "list " + connections, "watch " + connections},
			mayNot: []string{"create " + connections, "get " + users},
		},
		prefix + "mfaconnection-edit": {
			may:    []string{"create " + connections, "update " + connections, "patch " + connections, "delete " + connections},
			mayNot: []string{"update " + connections + "/status", "patch " + connections + "/status"},
		},
	}
	for role, tc := range cases {
		t.Run(role, func(t *testing.T) {
			g, ctx := NewWithT(t), t.Context()
			namespace := newNamespace(ctx, g)
			binding := &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "person"},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
				Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "person-" + role}},
			}
			g.Expect(admin.Create(ctx, binding)).To(Succeed())
			may := func(what string) func() bool {
				return func() bool { return allowed(t, g, "person-"+role, namespace, what) }
			}
			// The controller fills the built-in roles a moment after ours are there.
			for _, what := range tc.may {
				g.Eventually(may(what), "30s", "50ms").Should(BeTrue(), "may "+what)
			}
			for _, what := range tc.mayNot {
				g.Expect(may(what)()).To(BeFalse(), "may not "+what)
			}
		})
	}
}

func allowed(t *testing.T, g Gomega, person, namespace, what string) bool {
	verb, resource, _ := strings.Cut(what, " ")
	resource, subresource, _ := strings.Cut(resource, "/")
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: person,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: verb, Group: v1alpha1.Group, Resource: resource, Subresource: subresource,
		},
	}}
	g.Expect(admin.Create(t.Context(), review)).To(Succeed())
	return review.Status.Allowed
}
