package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// labelPartOf and appName mark the manager's Deployment, however it was installed and whatever it is called.
	labelPartOf  = "app.kubernetes.io/part-of"
	labelVersion = "app.kubernetes.io/version"
	appName      = "trustbuilder-mfa-operator"
	// leaseName is the lease that the leading manager renews.
	leaseName = "leader.trustbuilder-mfa.dev"
)

// managers are the Deployments of the operator.
func (d *Doctor) managers(ctx context.Context) []appsv1.Deployment {
	var list appsv1.DeploymentList
	if err := d.Client.List(ctx, &list, client.MatchingLabels{labelPartOf: appName}); err != nil {
		d.warn("manager", "its Deployment can't be looked for: "+err.Error(), "ask somebody who may list Deployments to run this")
		return nil
	}
	switch len(list.Items) {
	case 0:
		d.fail("manager", "no Deployment in the cluster is labelled "+labelPartOf+": "+appName, "install the operator as the README says; one that runs outside of the cluster is not seen")
	case 1:
	default:
		d.warn("manager", fmt.Sprintf("there are %d Deployments", len(list.Items)), "see that no two of them watch the same namespaces: one operator per service")
	}
	for n := range list.Items {
		d.manager(ctx, &list.Items[n])
	}
	return list.Items
}

func (d *Doctor) manager(ctx context.Context, deployment *appsv1.Deployment) {
	about := "manager " + deployment.Namespace + "/" + deployment.Name
	if available := deployment.Status.AvailableReplicas; available == 0 {
		d.fail(about, "none of its Pods is available", fmt.Sprintf("kubectl -n %s describe deployment %s; kubectl -n %[1]s logs deployment/%s", deployment.Namespace, deployment.Name, deployment.Name))
	} else {
		d.ok(about, "Pods available: %d", available)
	}
	d.versions(about, deployment)
	d.lease(ctx, about, deployment)
}

// versions holds the manager's version against that of kubectl mfa, where both say one.
func (d *Doctor) versions(about string, deployment *appsv1.Deployment) {
	image, _, _ := strings.Cut(containerOf(deployment).Image, "@")
	_, tag, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	version := cmp.Or(tag, deployment.Labels[labelVersion]) // the label is the chart's, whatever image was asked for
	same := strings.TrimPrefix(version, "v") == strings.TrimPrefix(d.Version, "v")
	switch {
	case d.Version == "unknown" || d.Version == "devel":
		d.ok(about, "version %s; this kubectl mfa was built without one", cmp.Or(version, "unknown"))
	case version == "" || version == "latest":
		d.warn(about, fmt.Sprintf("its version (%q) can't be held against that of kubectl mfa (%q)", version, d.Version), "use images with a version as tag")
	case !same:
		d.warn(about, fmt.Sprintf("its version is %s, and that of kubectl mfa is %s", version, d.Version), "use the plugin of the operator's version: plan goes by the rules of its own")
	default:
		d.ok(about, "version %s, as kubectl mfa", version)
	}
}

// lease looks whether a manager works, by the lease that it renews every few seconds.
func (d *Doctor) lease(ctx context.Context, about string, deployment *appsv1.Deployment) {
	if option(deployment, "leader-elect") == nil {
		d.ok(about, "it works without a lease")
		return
	}
	var lease coordinationv1.Lease
	err := d.Client.Get(ctx, client.ObjectKey{Namespace: deployment.Namespace, Name: leaseName}, &lease)
	logs := fmt.Sprintf("kubectl -n %s logs deployment/%s", deployment.Namespace, deployment.Name)
	switch {
	case apierrors.IsNotFound(err):
		d.warn(about, "no manager has ever held its lease", logs)
		return
	case err != nil:
		d.warn(about, "its lease can't be read: "+err.Error(), "ask somebody who may read Leases there to run this")
		return
	}
	spec := &lease.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		d.fail(about, "no manager holds the lease: nobody works", logs)
		return
	}
	age := d.Clock.Now().Sub(spec.RenewTime.Time)
	if age > time.Duration(*spec.LeaseDurationSeconds)*time.Second {
		d.fail(about, fmt.Sprintf("the lease was last renewed %s ago: nobody works", duration.HumanDuration(age)), logs)
		return
	}
	d.ok(about, "%s leads", *spec.HolderIdentity)
}

// containerOf is the container of a Deployment that the manager runs in.
func containerOf(deployment *appsv1.Deployment) corev1.Container {
	for _, container := range deployment.Spec.Template.Spec.Containers {
		if container.Name == "manager" {
			return container
		}
	}
	return corev1.Container{}
}

// option returns the values that the manager is given for a flag, nil when it is left out. A switch has the value true.
func option(deployment *appsv1.Deployment, flag string) (values []string) {
	for _, arg := range containerOf(deployment).Args {
		name, value, valued := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !valued {
			value = "true"
		}
		if name == flag && value != "false" {
			values = append(values, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })...)
		}
	}
	return values
}
