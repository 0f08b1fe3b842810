package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The chart and config are two ways to one operator: what it may do, how it runs and what it serves must be the same by both.
func TestChartAgreesWithConfig(t *testing.T) {
	config := func(parts ...string) string { return filepath.Join(append([]string{root, "config"}, parts...)...) }
	watching := slices.Clip([]string{
		"networkPolicy.enabled=true", "metrics.serviceMonitor.enabled=true", "metrics.prometheusRule.enabled=true", "metrics.dashboard.enabled=true",
	})
	cases := map[string]struct {
		kustomizations []string
		values         []string
	}{
		"cluster-wide": {
			[]string{config("default"), config("network-policy"), config("prometheus"), config("grafana")},
			append(watching, "podDisruptionBudget.enabled=true"),
		},
		"in listed namespaces": {
			[]string{config("samples", "namespaced"), config("namespaced", "metrics"), config("network-policy"), config("prometheus"), config("grafana")},
			append(watching, "watchNamespaces={"+systemNamespace+",team-a}", "metrics.authDelegator=true"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var shipped []*unstructured.Unstructured
			for _, dir := range tc.kustomizations {
				shipped = append(shipped, objects(t, kustomize(t, dir))...)
			}
			args := []string{"--namespace=" + systemNamespace}
			for _, value := range tc.values {
				args = append(args, "--set="+value)
			}
			charted := objects(t, template(t, args...))

			g.Expect(crds(charted)).To(Equal(crds(shipped)), "the CRDs: make chart")
			g.Expect(rights(t, charted)).To(Equal(rights(t, shipped)), "who may do what")
			g.Expect(peopleRoles(t, charted)).To(Equal(peopleRoles(t, shipped)), "roles to bind")
			g.Expect(podSpec(t, charted)).To(Equal(podSpec(t, shipped)), "the Pod, its arguments among it")
			g.Expect(specOf(t, charted, "Service", "selector")).To(Equal(specOf(t, shipped, "Service", "selector")))
			g.Expect(specOf(t, charted, "ServiceMonitor", "selector")).To(Equal(specOf(t, shipped, "ServiceMonitor", "selector")))
			g.Expect(specOf(t, charted, "PrometheusRule", "")).To(Equal(specOf(t, shipped, "PrometheusRule", "")), "the alerts: make chart")
			g.Expect(dashboards(t, charted)).To(Equal(dashboards(t, shipped)), "the dashboard: make chart")
			g.Expect(ingress(t, charted)).To(Equal(ingress(t, shipped)))
			expectSelected(t, charted)
			expectSelected(t, shipped)
		})
	}
}

// crds are the specs by name.
func crds(rendered []*unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	for _, object := range rendered {
		if object.GetKind() == "CustomResourceDefinition" {
			out[object.GetName()] = object.Object["spec"]
		}
	}
	return out
}

// rights are what bindings give the operator: where, and by which rules. A ClusterRole that is not shipped stands for itself.
func rights(t *testing.T, rendered []*unstructured.Unstructured) []string {
	t.Helper()
	account := deployment(t, rendered).Spec.Template.Spec.ServiceAccountName
	var out []string
	for _, object := range rendered {
		if object.GetKind() != "RoleBinding" && object.GetKind() != "ClusterRoleBinding" {
			continue
		}
		binding := typed[rbacv1.RoleBinding](t, object) // a ClusterRoleBinding has the same fields
		NewWithT(t).Expect(binding.Subjects).To(Equal([]rbacv1.Subject{{Kind: "ServiceAccount", Name: account, Namespace: systemNamespace}}), object.GetName())
		given := binding.RoleRef.Name
		for _, role := range rendered {
			if role.GetKind() == binding.RoleRef.Kind && role.GetName() == binding.RoleRef.Name && role.GetNamespace() == object.GetNamespace() {
				given = rules(t, role)
			}
		}
		out = append(out, fmt.Sprintf("%s in %q:\n%s", object.GetKind(), object.GetNamespace(), given))
	}
	slices.Sort(out)
	return out
}

// peopleRoles are the ClusterRoles that nothing here binds, with the labels by which built-in roles take them up.
func peopleRoles(t *testing.T, rendered []*unstructured.Unstructured) []string {
	t.Helper()
	bound := map[string]bool{}
	for _, object := range rendered {
		if object.GetKind() == "ClusterRoleBinding" {
			bound[typed[rbacv1.ClusterRoleBinding](t, object).RoleRef.Name] = true
		}
	}
	var out []string
	for _, object := range rendered {
		if object.GetKind() != "ClusterRole" || bound[object.GetName()] {
			continue
		}
		var into []string
		for label := range object.GetLabels() {
			if strings.HasPrefix(label, "rbac.authorization.k8s.io/") {
				into = append(into, label)
			}
		}
		slices.Sort(into)
		out = append(out, fmt.Sprintf("%v\n%s", into, rules(t, object)))
	}
	slices.Sort(out)
	return out
}

func rules(t *testing.T, role *unstructured.Unstructured) string {
	t.Helper()
	text, err := yaml.Marshal(role.Object["rules"])
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// podSpec is the Pod without the names that differ on purpose.
func podSpec(t *testing.T, rendered []*unstructured.Unstructured) corev1.PodSpec {
	t.Helper()
	d := deployment(t, rendered)
	NewWithT(t).Expect(d.Spec.Replicas).To(HaveValue(BeEquivalentTo(1)))
	NewWithT(t).Expect(d.Namespace).To(Equal(systemNamespace))
	spec := d.Spec.Template.Spec
	NewWithT(t).Expect(spec.Containers[0].Image).To(HavePrefix("trustbuilder-mfa-operator:"))
	spec.ServiceAccountName, spec.Containers[0].Image, spec.Containers[0].ImagePullPolicy = "", "", ""
	return spec
}

// specOf is the spec of the one object of a kind, without a field that holds names.
func specOf(t *testing.T, rendered []*unstructured.Unstructured, kind, without string) any {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, object := range rendered {
		if object.GetKind() == kind {
			found = append(found, object)
		}
	}
	NewWithT(t).Expect(found).To(HaveLen(1), kind)
	spec, _, err := unstructured.NestedMap(found[0].Object, "spec")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	delete(spec, without)
	return spec
}

// dashboards are the files that Grafana's sidecar finds.
func dashboards(t *testing.T, rendered []*unstructured.Unstructured) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, object := range rendered {
		if object.GetKind() == "ConfigMap" && object.GetLabels()["grafana_dashboard"] == "1" {
			maps.Copy(out, typed[corev1.ConfigMap](t, object).Data)
		}
	}
	NewWithT(t).Expect(out).To(HaveLen(1))
	for _, text := range out {
		NewWithT(t).Expect(json.Valid([]byte(text))).To(BeTrue())
	}
	return out
}

// expectSelected holds the labels by which one object finds another against those that the other has.
func expectSelected(t *testing.T, rendered []*unstructured.Unstructured) {
	t.Helper()
	pod := deployment(t, rendered).Spec.Template.Labels
	var service map[string]string
	for _, object := range rendered {
		if object.GetKind() == "Service" {
			service = object.GetLabels()
		}
	}
	for _, object := range rendered {
		var labels, path = pod, []string{"spec", "selector", "matchLabels"}
		switch object.GetKind() {
		case "Service":
			path = []string{"spec", "selector"}
		case "ServiceMonitor":
			labels = service
		case "NetworkPolicy":
			path = []string{"spec", "podSelector", "matchLabels"}
		case "PodDisruptionBudget", "Deployment":
		default:
			continue
		}
		selector, _, err := unstructured.NestedStringMap(object.Object, path...)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(selector).NotTo(BeEmpty(), object.GetKind())
		for key, value := range selector {
			NewWithT(t).Expect(labels).To(HaveKeyWithValue(key, value), object.GetKind())
		}
	}
}

// ingress is who may reach the operator, and that nothing else is said.
func ingress(t *testing.T, rendered []*unstructured.Unstructured) networkingv1.NetworkPolicySpec {
	t.Helper()
	for _, object := range rendered {
		if object.GetKind() == "NetworkPolicy" {
			spec := typed[networkingv1.NetworkPolicy](t, object).Spec
			spec.PodSelector.MatchLabels = nil
			return spec
		}
	}
	t.Fatal("no NetworkPolicy")
	return networkingv1.NetworkPolicySpec{}
}
