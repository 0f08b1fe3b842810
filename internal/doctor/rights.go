package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// need is a right that a command takes.
type need struct {
	verb, group, resource, namespace string
	// command that needs it, and who can give it.
	command, ask string
}

func (n need) attributes() *authorizationv1.ResourceAttributes {
	resource, subresource, _ := strings.Cut(n.resource, "/")
	return &authorizationv1.ResourceAttributes{Namespace: n.namespace, Verb: n.verb, Group: n.group, Resource: resource, Subresource: subresource}
}

// rights asks the API server what the caller may do. A right that is missing is a warning: not everybody needs every command.
func (d *Doctor) rights(ctx context.Context, connections []v1alpha1.MFAConnection) {
	users := d.Namespace
	if d.AllNamespaces {
		users = ""
	}
	// The operator's own ClusterRoles add to these, unless it works in listed namespaces only.
	const edit, view = "the ClusterRole edit there, or a Role with that right", "the ClusterRole view there, or a Role with that right"
	needs := []need{
		{"list", v1alpha1.Group, "mfausers", users, "status and plan", view},
		{"patch", v1alpha1.Group, "mfausers", users, "issue, reconcile and plan -f", edit},
		{"create", v1alpha1.Group, "mfausers", users, "plan -f", edit},
		{"get", "", "secrets", users, "code", "a Role that may get Secrets there"},
	}
	for _, namespace := range namespacesOf(connections) {
		needs = append(needs,
			need{"get", "", "secrets", namespace, "export and plan", "a Role that may get the token Secret, or use --token-file"},
			need{"patch", v1alpha1.Group, "mfaconnections", namespace, "approve", "a Role with that right"})
	}
	for _, n := range needs {
		d.right(ctx, n)
	}
}

func namespacesOf(connections []v1alpha1.MFAConnection) (namespaces []string) {
	for n := range connections {
		namespaces = append(namespaces, connections[n].Namespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

func (d *Doctor) right(ctx context.Context, n need) {
	about := "rights"
	what := fmt.Sprintf("%s %s %s, for kubectl mfa %s", n.verb, n.resource, within(n.namespace), n.command)
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: n.attributes()}}
	switch err := d.Client.Create(ctx, review); {
	case err != nil:
		d.warn(about, "whether you may "+what+", can't be asked: "+err.Error(), "try again once the API server answers")
	case review.Status.Allowed:
		d.ok(about, "you may %s", what)
	default:
		d.warn(about, "you may not "+what, "ask for "+n.ask)
	}
}
