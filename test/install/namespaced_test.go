package install

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

const (
	systemNamespace = "trustbuilder-mfa-system"
	serviceAccount  = "trustbuilder-mfa-controller-manager"
)

// TestNamespacedOperator installs config/samples/namespaced and lets the program work with its arguments and its rights:
// for the listed namespaces as ever, for others not at all, and with a word to whoever refers to one.
func TestNamespacedOperator(t *testing.T) {
	s := newSite(t)
	s.createNamespaces("team-a", "team-b")
	overlay := filepath.Join(root, "config", "samples", "namespaced")
	s.kubectl("apply", "--server-side", "-k", overlay)
	s.awaitCRDs()
	args := deployment(t, objects(t, kustomize(t, overlay))).Spec.Template.Spec.Containers[0].Args
	address := freeAddress(t)
	op := s.startOperator(systemNamespace, serviceAccount, append(args, "--metrics-bind-address="+address)...)

	service := newService(t)
	s.create(service.token(systemNamespace), service.connection(systemNamespace, v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll}))
	s.awaitReady("mfaconnection", systemNamespace, "production", "True Reconciled")

	s.create(user("team-a", "alice", systemNamespace), user("team-b", "bob", systemNamespace))
	s.awaitReady("mfauser", "team-a", "alice", "True Reconciled")
	s.g.Expect(s.kubectl("get", "secret", "-n", "team-a", "alice-mfa", "-o", "jsonpath={.type}")).To(Equal(v1alpha1.SecretType))

	s.create(user("team-a", "carol", "team-b"))
	s.awaitReady("mfauser", "team-a", "carol", "False NamespaceNotWatched")

	// A code by hand, an edit elsewhere, a removal: whatever needs a right.
	s.kubectl("annotate", "mfau", "-n", "team-a", "alice", v1alpha1.AnnotationIssueCode+"=Enrollment/again")
	s.g.Eventually(func() int { return service.sim.CodesIssued("alice@example.com") }).Should(Equal(2))
	s.kubectl("patch", "mfau", "-n", "team-a", "alice", "--type=merge", "-p", `{"spec":{"firstName":"Alice"}}`)
	s.g.Eventually(func() string { return service.account("alice").FirstName }).Should(Equal("Alice"))
	s.kubectl("delete", "mfau", "-n", "team-a", "alice", "--timeout=30s")
	s.g.Expect(service.account("alice").Blocked).To(BeTrue())

	s.create(service.token("team-a"), service.connection("team-a", v1alpha1.AllowedNamespaces{
		From: v1alpha1.FromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
	}), user("team-a", "dave", "team-a"))
	s.awaitReady("mfaconnection", "team-a", "production", "False SelectorUnusable")
	s.awaitReady("mfauser", "team-a", "dave", "False SelectorUnusable")

	s.g.Expect(s.kubectl("get", "mfau", "-n", "team-b", "bob", "-o", "jsonpath={.status}{.metadata.finalizers}")).To(Equal(`{"observedGeneration":-1}`), "of an unlisted namespace it knows nothing")
	s.g.Expect(op.log()).NotTo(ContainSubstring(`"level":"error"`), "nothing is tried for ever")
	log := s.requestsOf(systemNamespace, serviceAccount)
	s.g.Expect(log.denied()).To(BeEmpty())
	s.g.Expect(log.clusterRoleBindings()).To(HaveEach(HavePrefix("system:")), "what every account may: to see which kinds there are")

	s.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "prometheus"}})
	s.kubectl("create", "clusterrole", "scraper", "--verb=get", "--non-resource-url=/metrics")
	s.kubectl("create", "clusterrolebinding", "scraper", "--clusterrole=scraper", "--serviceaccount=team-b:prometheus")
	s.g.Expect(s.scrape(address, "team-b", "prometheus")).NotTo(Equal(http.StatusOK), "it can't ask who is calling")
	s.kubectl("apply", "--server-side", "-k", filepath.Join(root, "config", "namespaced", "metrics"))
	s.g.Eventually(func() int { return s.scrape(address, "team-b", "prometheus") }).Should(Equal(http.StatusOK))
	s.g.Expect(s.scrape(address, "team-b", "default")).To(Equal(http.StatusForbidden))
}

// TestNamespaceWithoutRole: a listed namespace whose owner has not let the operator in stops nobody else, and is taken up by
// the next program once the Role is there.
func TestNamespaceWithoutRole(t *testing.T) {
	s := newSite(t)
	s.createNamespaces("team-b")
	s.kubectl("apply", "--server-side", "-k", filepath.Join(root, "config", "namespaced"))
	s.awaitCRDs()
	args := []string{"--watch-namespaces=" + systemNamespace + ",team-b"}
	op := s.startOperator(systemNamespace, serviceAccount, args...)
	service := newService(t)
	s.create(service.token(systemNamespace), service.connection(systemNamespace, v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll}))
	s.create(user(systemNamespace, "alice", systemNamespace), user("team-b", "bob", systemNamespace))
	s.awaitReady("mfauser", systemNamespace, "alice", "True Reconciled")
	s.g.Expect(op.log()).To(And(ContainSubstring("may not be read and are left out"), ContainSubstring(`"namespaces":["team-b"]`)))

	s.letIn("team-b")
	s.g.Eventually(op.process.Exited()).Should(BeClosed())
	s.g.Expect(op.process.ExitCode()).To(Equal(1))
	s.g.Expect(op.log()).To(ContainSubstring("the namespace team-b may be read now"))
	s.startOperator(systemNamespace, serviceAccount, args...)
	s.awaitReady("mfauser", "team-b", "bob", "True Reconciled")
}

// letIn gives the operator its Role in a namespace, as the sample's folder of a team does.
func (s *site) letIn(namespace string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "config", "samples", "namespaced", "team-a", "kustomization.yaml"))
	s.g.Expect(err).NotTo(HaveOccurred())
	config, err := filepath.Abs(filepath.Join(root, "config"))
	s.g.Expect(err).NotTo(HaveOccurred())
	dir, err := filepath.EvalSymlinks(s.dir) // kustomize takes no absolute path
	s.g.Expect(err).NotTo(HaveOccurred())
	way, err := filepath.Rel(dir, config)
	s.g.Expect(err).NotTo(HaveOccurred())
	team := strings.NewReplacer("namespace: team-a", "namespace: "+namespace, "../../..", way).Replace(string(text))
	s.g.Expect(os.WriteFile(filepath.Join(s.dir, "kustomization.yaml"), []byte(team), 0o600)).To(Succeed())
	s.kubectl("apply", "--server-side", "-k", dir)
}

// requests are those of one account to the API server, as its audit log has them.
type requests []auditEvent

type auditEvent struct{ what, reason, decision string }

func (s *site) requestsOf(namespace, account string) requests {
	s.t.Helper()
	events, err := s.cluster.AuditEvents(s.ctx)
	s.g.Expect(err).NotTo(HaveOccurred())
	var out requests
	for _, event := range events {
		if event.User.Username == "system:serviceaccount:"+namespace+":"+account {
			out = append(out, auditEvent{event.Verb + " " + event.RequestURI, event.Annotations["authorization.k8s.io/reason"], event.Annotations["authorization.k8s.io/decision"]})
		}
	}
	s.g.Expect(out).NotTo(BeEmpty())
	return out
}

func (r requests) denied() []string {
	var out []string
	for _, event := range r {
		if event.decision != "allow" {
			out = append(out, event.what)
		}
	}
	return out
}

// clusterRoleBindings are the names of those that allowed something.
func (r requests) clusterRoleBindings() []string {
	var out []string
	for _, event := range r {
		if _, rest, ok := strings.Cut(event.reason, `ClusterRoleBinding "`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
