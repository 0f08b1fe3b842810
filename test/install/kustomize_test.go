package install

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
)

// TestKustomizationsBuild builds every folder that somebody could take up into an overlay.
func TestKustomizationsBuild(t *testing.T) {
	g := NewWithT(t)
	built := 0
	g.Expect(filepath.WalkDir(filepath.Join(root, "config"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "kustomization.yaml" {
			g.Expect(objects(t, kustomize(t, filepath.Dir(path)))).NotTo(BeEmpty(), path)
			built++
		}
		return err
	})).To(Succeed())
	g.Expect(built).To(BeNumerically(">", 10))
}

// TestSwitches turns on everything that the comments in config offer, and applies it.
func TestSwitches(t *testing.T) {
	s := newSite(t)
	copied := filepath.Join(s.dir, "config")
	s.g.Expect(os.CopyFS(copied, os.DirFS(filepath.Join(root, "config")))).To(Succeed())
	for _, overlay := range []string{"default", "namespaced"} {
		file := filepath.Join(copied, overlay, "kustomization.yaml")
		if overlay == "namespaced" {
			file = filepath.Join(copied, overlay, "operator", "kustomization.yaml")
		}
		text, err := os.ReadFile(file)
		s.g.Expect(err).NotTo(HaveOccurred())
		switched := regexp.MustCompile(`(?m)^#(- \.\./)`).ReplaceAll(text, []byte("$1"))
		s.g.Expect(string(switched)).NotTo(Equal(string(text)), "%s offers something", overlay)
		s.g.Expect(os.WriteFile(file, switched, 0o600)).To(Succeed())

		manifests := filepath.Join(s.dir, overlay+".yaml")
		s.g.Expect(os.WriteFile(manifests, []byte(kustomize(t, filepath.Join(copied, overlay))), 0o600)).To(Succeed())
		said := s.kubectl("apply", "--server-side", "--validate=strict", "-f", manifests)
		s.g.Expect(said).NotTo(ContainSubstring("Warning"))
		want := []string{"networkpolicy.networking.k8s.io/trustbuilder-mfa-allow-metrics-traffic"}
		if overlay == "default" {
			want = append(want, "servicemonitor.monitoring.coreos.com/trustbuilder-mfa-controller-manager-metrics-monitor")
		}
		for _, name := range want {
			s.g.Expect(said).To(ContainSubstring(name+" serverside-applied"), overlay)
		}
		s.expectRestricted(deployment(t, objects(t, kustomize(t, filepath.Join(copied, overlay)))))
	}
}

// TestNamespacedHasNoClusterRights: an operator in listed namespaces is given Roles alone, and those of config/default.
func TestNamespacedHasNoClusterRights(t *testing.T) {
	g := NewWithT(t)
	rendered := objects(t, kustomize(t, filepath.Join(root, "config", "samples", "namespaced")))
	for _, object := range rendered {
		if object.GetNamespace() == "" {
			g.Expect(object.GetKind()).To(BeElementOf("CustomResourceDefinition", "Namespace"), object.GetName())
		}
	}
	everywhere := typed[rbacv1.ClusterRole](t, named(t, objects(t, kustomize(t, filepath.Join(root, "config", "default"))), "ClusterRole", "trustbuilder-mfa-manager-role"))
	watched := map[string]bool{}
	for _, object := range rendered {
		if object.GetKind() == "Role" && object.GetName() == "trustbuilder-mfa-manager-role" {
			watched[object.GetNamespace()] = true
			g.Expect(typed[rbacv1.Role](t, object).Rules).To(Equal(withoutNamespaces(everywhere.Rules)), object.GetNamespace())
		}
	}
	args := deployment(t, rendered).Spec.Template.Spec.Containers[0].Args
	for namespace := range watched {
		g.Expect(args).To(ContainElement("--watch-namespaces=" + namespace))
	}
	g.Expect(watched).To(HaveLen(2))
	g.Expect(strings.Count(strings.Join(args, " "), "--watch-namespaces=")).To(Equal(2))
}

// withoutNamespaces leaves out the right to see namespaces, which no Role can give.
func withoutNamespaces(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, rule := range rules {
		if rule.Resources[0] != "namespaces" {
			out = append(out, rule)
		}
	}
	return out
}
