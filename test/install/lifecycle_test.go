package install

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestChartLifecycle is the life of a release: installed from an older chart with a connection, upgraded with its CRDs, taken away
// and brought back without anybody's account noticing, and taken away for good.
func TestChartLifecycle(t *testing.T) {
	s := newSite(t)
	restricted := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mfa", Labels: restricted}})
	s.createNamespaces("team-a")
	service := newService(t)
	namespaced := []string{"--set=watchNamespaces={mfa,team-a}"}

	// On a cluster that has never heard of an MFAConnection, the first install makes one all the same.
	said := s.release("install", s.olderChart(), append(namespaced, s.connections(service, "production"))...)
	op := s.startOperator("mfa", "mfa-trustbuilder-mfa-operator", s.arguments(namespaced...)...)
	s.g.Expect(s.kubectl("get", "mfausers", "-A")).To(ContainSubstring("No resources found"))
	s.doAsTold(said, service.sim.Token())
	s.create(user("team-a", "alice", "mfa"))
	s.awaitReady("mfauser", "team-a", "alice", "True Reconciled")
	alice := s.life("mfauser", "team-a", "alice")
	connection := s.life("mfaconnection", "mfa", "production")
	s.expectRestricted(deployment(t, objects(t, s.helm("get", "manifest", "mfa"))))

	// The upgrade brings the CRDs of its chart, takes the connection up as it is, and makes another.
	s.g.Expect(s.kubectl("get", "crd", "mfausers.trustbuilder-mfa.dev", "-o", "jsonpath={.spec.names.categories}")).To(BeEmpty())
	s.release("upgrade", chart, append(namespaced, s.connections(service, "production", "staging"))...)
	s.g.Expect(s.kubectl("get", "crd", "mfausers.trustbuilder-mfa.dev", "-o", "jsonpath={.spec.names.categories}")).To(Equal(`["mfa"]`))
	s.g.Expect(s.life("mfaconnection", "mfa", "production")).To(Equal(connection))
	s.awaitReady("mfaconnection", "mfa", "staging", "True Reconciled")
	s.awaitReady("mfauser", "team-a", "alice", "True Reconciled")

	// A connection that is no longer among the values may be in use: it stays. So do CRDs that are left to somebody else.
	crd := s.life("crd", "", "mfausers.trustbuilder-mfa.dev")
	s.release("upgrade", chart, append(namespaced, s.connections(service, "staging"), "--set=crds.install=false")...)
	s.g.Expect(s.life("mfaconnection", "mfa", "production")).To(Equal(connection))
	s.g.Expect(s.life("crd", "", "mfausers.trustbuilder-mfa.dev")).To(Equal(crd))
	s.g.Expect(op.log()).NotTo(ContainSubstring(`"level":"error"`))
	s.g.Expect(s.requestsOf("mfa", "mfa-trustbuilder-mfa-operator").denied()).To(BeEmpty())

	// Uninstalled, the operator and its rights go; what people have made stays.
	op.stop()
	s.helm("uninstall", "mfa")
	s.g.Expect(s.kubectl("get", "deployment,serviceaccount,role,rolebinding,service", "-A", "-l", "app.kubernetes.io/instance=mfa")).To(ContainSubstring("No resources found"))
	s.g.Expect(s.life("mfaconnection", "mfa", "production")).To(Equal(connection))
	s.g.Expect(s.life("mfauser", "team-a", "alice")).To(Equal(alice))

	// Installed again, for all namespaces now, it goes on with them.
	s.release("install", chart, s.connections(service, "production", "staging"))
	op = s.startOperator("mfa", "mfa-trustbuilder-mfa-operator", s.arguments()...)
	s.kubectl("patch", "mfau", "-n", "team-a", "alice", "--type=merge", "-p", `{"spec":{"firstName":"Alice"}}`)
	s.g.Eventually(func() string { return service.account("alice").FirstName }).Should(Equal("Alice"))
	s.g.Expect(service.sim.Calls()["CreateAccount"]).To(Equal(1))

	// For good: as the notes say, users and connections first.
	s.kubectl("delete", "mfau", "--all", "-A", "--timeout=30s")
	s.g.Expect(service.account("alice").Blocked).To(BeTrue())
	s.kubectl("delete", "mfaconn", "--all", "-A", "--timeout=30s")
	s.g.Expect(s.requestsOf("mfa", "mfa-trustbuilder-mfa-operator").denied()).To(BeEmpty())
	op.stop()
	s.release("upgrade", chart, "--set=crds.keep=false")
	s.helm("uninstall", "mfa")
	s.kubectl("wait", "--for=delete", "--timeout=30s", "crd/mfausers.trustbuilder-mfa.dev", "crd/mfaconnections.trustbuilder-mfa.dev")
	s.g.Expect(s.kubectl("get", "all,clusterrole,clusterrolebinding", "-A", "-l", "app.kubernetes.io/instance=mfa")).To(ContainSubstring("No resources found"))
}

// TestChartOnCluster lets the API server check whatever the chart renders, and holds the notes for each set of values against
// files that a reviewer has seen.
func TestChartOnCluster(t *testing.T) {
	s := newSite(t)
	s.createNamespaces("mfa", "team-a", "identity")
	s.kubectl("apply", "--server-side", "-f", filepath.Join(root, "config", "crd", "bases"))
	s.awaitCRDs()
	for _, values := range valueFiles(t) {
		t.Run(filepath.Base(values), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "manifests.yaml")
			NewWithT(t).Expect(os.WriteFile(file, []byte(template(t, "--values="+values)), 0o600)).To(Succeed())
			said := s.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", file)
			NewWithT(t).Expect(said).NotTo(ContainSubstring("Warning"))

			// With the CRDs of the release, which those of the cluster do not belong to.
			out := s.helm("install", "mfa", chart, "--values="+values, "--set=crds.install=false", "--dry-run=server")
			_, notes, found := strings.Cut(out, "\nNOTES:\n")
			NewWithT(t).Expect(found).To(BeTrue())
			expectGolden(t, strings.TrimSuffix(values, ".values.yaml")+".notes.golden.txt", notes)
		})
	}

	// Who came from config takes its CRDs along.
	s.release("install", chart, "--take-ownership")
	s.g.Expect(s.kubectl("get", "crd", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name")).To(ContainSubstring("mfausers.trustbuilder-mfa.dev"))
}

// helm works on the site's cluster in the namespace mfa.
func (s *site) helm(args ...string) string {
	s.t.Helper()
	out, err := helm(s.t, append(args, "--namespace=mfa", "--kubeconfig="+s.cluster.AdminKubeconfig())...).CombinedOutput()
	s.g.Expect(err).NotTo(HaveOccurred(), "helm %s\n%s", strings.Join(args, " "), out)
	return string(out)
}

// release installs or upgrades the release mfa. Nothing is waited for: there are no nodes.
func (s *site) release(verb, chart string, args ...string) string {
	s.t.Helper()
	return s.helm(append([]string{verb, "mfa", chart}, args...)...)
}

// olderChart is the chart as it was before users had a category.
func (s *site) olderChart() string {
	s.t.Helper()
	older := filepath.Join(s.dir, "chart")
	s.g.Expect(os.CopyFS(older, os.DirFS(chart))).To(Succeed())
	for file, change := range map[string]*strings.Replacer{
		"Chart.yaml": strings.NewReplacer("version: 0.1.0", "version: 0.0.9"),
		"files/crds/trustbuilder-mfa.dev_mfausers.yaml": strings.NewReplacer("    categories:\n    - mfa\n", ""),
	} {
		path := filepath.Join(older, file)
		text, err := os.ReadFile(path)
		s.g.Expect(err).NotTo(HaveOccurred())
		s.g.Expect(change.Replace(string(text))).NotTo(Equal(string(text)), file)
		s.g.Expect(os.WriteFile(path, []byte(change.Replace(string(text))), 0o600)).To(Succeed())
	}
	return older
}

// connections are values with connections of these names, as an argument.
func (s *site) connections(service *service, names ...string) string {
	s.t.Helper()
	var list []map[string]any
	for _, name := range names {
		list = append(list, map[string]any{"name": name, "spec": service.connection("", v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll}).Spec})
	}
	text, err := yaml.Marshal(map[string]any{"connections": list})
	s.g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(s.dir, "connections.yaml")
	s.g.Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	return "--values=" + file
}

// arguments are those of the Pod, without metrics: others may test on this machine.
func (s *site) arguments(values ...string) []string {
	s.t.Helper()
	args := deployment(s.t, objects(s.t, template(s.t, values...))).Spec.Template.Spec.Containers[0].Args
	return append(args, "--metrics-bind-address=0")
}

// life tells an object from another of its name, and one that is being deleted from itself.
func (s *site) life(kind, namespace, name string) string {
	s.t.Helper()
	return s.kubectl("get", kind, "-n", namespace, name, "-o", "jsonpath={.metadata.uid}{.metadata.deletionTimestamp}")
}

// doAsTold runs the commands of the chart's notes, but for the one that waits for a Pod.
func (s *site) doAsTold(notes, token string) {
	s.t.Helper()
	var script strings.Builder
	for line := range strings.Lines(notes) {
		if command, ok := strings.CutPrefix(line, "  kubectl "); ok && !strings.Contains(command, "rollout status") {
			fmt.Fprintf(&script, "kubectl %s", command)
		}
	}
	s.g.Expect(script.String()).To(ContainSubstring("kubectl -n mfa wait mfaconnection/production"))
	cmd := exec.CommandContext(s.ctx, "bash", "-euxc", script.String())
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.cluster.AdminKubeconfig(), "TOKEN="+token,
		"PATH="+filepath.Dir(s.cluster.Kubectl())+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	s.g.Expect(err).NotTo(HaveOccurred(), "%s", out)
}
