package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// managersNeeds are the rights without which nothing works, in every namespace that the manager watches.
var managersNeeds = []need{
	{verb: "list", group: v1alpha1.Group, resource: "mfaconnections"},
	{verb: "patch", group: v1alpha1.Group, resource: "mfaconnections/status"},
	{verb: "list", group: v1alpha1.Group, resource: "mfausers"},
	{verb: "patch", group: v1alpha1.Group, resource: "mfausers/status"},
	{verb: "get", resource: "secrets"},
	{verb: "patch", resource: "secrets"},
}

// managersRights asks the API server what the manager's ServiceAccount may do in the namespaces that it was told to watch. One
// that watches all has its rights by one binding, so those of the connections stand for all.
func (d *Doctor) managersRights(ctx context.Context, deployment *appsv1.Deployment, connections []v1alpha1.MFAConnection) {
	about := "manager " + deployment.Namespace + "/" + deployment.Name
	account := cmp.Or(deployment.Spec.Template.Spec.ServiceAccountName, "default")
	namespaces := option(deployment, "watch-namespaces")
	if namespaces == nil {
		namespaces = namespacesOf(connections)
	}
	for _, namespace := range namespaces {
		lacking, err := d.lacks(ctx, deployment.Namespace, account, namespace)
		where := within(namespace)
		switch {
		case err != nil:
			d.warn(about, fmt.Sprintf("whether its ServiceAccount has its rights %s can't be asked: %s", where, err), "ask somebody who may create SubjectAccessReviews to run this")
			return
		case len(lacking) > 0:
			d.fail(about, fmt.Sprintf("its ServiceAccount %s may not %s %s", account, strings.Join(lacking, ", "), where),
				"install the operator's version again, by Helm or kubectl apply -k, for its Roles and bindings; a namespace that it watches needs them too")
		default:
			d.ok(about, "its ServiceAccount %s has its rights %s", account, where)
		}
	}
}

// lacks are the rights that a ServiceAccount does not have in a namespace.
func (d *Doctor) lacks(ctx context.Context, home, account, namespace string) (lacking []string, err error) {
	for _, n := range managersNeeds {
		n.namespace = namespace
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			ResourceAttributes: n.attributes(),
			User:               "system:serviceaccount:" + home + ":" + account,
			Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + home, "system:authenticated"},
		}}
		if err := d.Client.Create(ctx, review); err != nil {
			return nil, err
		}
		if !review.Status.Allowed {
			lacking = append(lacking, n.verb+" "+n.resource)
		}
	}
	return lacking, nil
}
