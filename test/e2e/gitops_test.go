package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// gitOpsTools are the ways in which manifests get into a cluster, as arguments of kubectl: who applies, and how.
var gitOpsTools = map[string]struct {
	manager string
	args    []string
}{
	"flux":               {"kustomize-controller", []string{"--server-side", "--force-conflicts"}},
	"argocd-server-side": {"argocd-controller", []string{"--server-side", "--force-conflicts"}},
	"argocd-client-side": {"argocd-controller", nil},
}

// TestNothingToApplyAgain applies manifests as Argo CD and Flux do, lets the operator do its work, and looks for anything
// that the tool would see as different or write again. Else it would fight with the operator for ever, or show drift.
func TestNothingToApplyAgain(t *testing.T) {
	for name, tool := range gitOpsTools {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sim.AddGroup("staff")
			w.start()
			w.awaitConnection("True Reconciled")
			file := w.manifests(t)
			apply := append([]string{"apply", "-f", file, "--field-manager=" + tool.manager}, tool.args...)
			w.kubectl(apply...)
			w.awaitAllReady()
			w.awaitQuiet()
			before := w.applied()

			w.g.Expect(w.kubectl(append([]string{"diff", "-f", file, "--field-manager=" + tool.manager}, tool.args...)...)).To(BeEmpty())
			w.kubectl(apply...)

			after := w.applied()
			w.g.Expect(after).To(HaveLen(4))
			for n, object := range after {
				w.g.Expect(object.GetGeneration()).To(Equal(int64(1)), object.GetName())
				w.g.Expect(object.GetResourceVersion()).To(Equal(before[n].GetResourceVersion()), object.GetName())
				w.g.Expect(specOwners(object)).To(Equal([]string{tool.manager}), "the operator never writes a manifest's fields")
				w.g.Expect(annotationOwners(object)).To(BeEmpty(), "nor marks it")
			}
			w.kubectl("delete", "-f", file, "--timeout=30s") // users and connections at once, as by who prunes
		})
	}
}

// TestActionsOfArgoCD: the values that the actions in integrations/argocd write are ones that the operator acts on.
func TestActionsOfArgoCD(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create(w.user("grace"))
	w.awaitReady("grace")
	w.askByHand("grace", "Enrollment/argocd-2026-11-24T08:00:00Z")
	w.awaitCode("grace", "annotation/argocd-2026-11-24T08:00:00Z", v1alpha1.CodeActive)
	w.useCode("grace", "annotation/argocd-2026-11-24T08:00:00Z")

	edit(w, w.getConnection(), func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(0)) })
	w.awaitConnection("True Reconciled")
	w.g.Expect(w.client.Delete(w.ctx, w.get("grace"))).To(Succeed())
	w.awaitUser("grace", "False RemovalHeld")
	edit(w, w.getConnection(), func(c *v1alpha1.MFAConnection) {
		c.Annotations = map[string]string{v1alpha1.AnnotationApproveRemovals: "1/argocd-2026-11-24T08:00:00Z"}
	})
	w.awaitGone("grace")
}

// gitOpsManifests are both kinds, with every field stated and with as few as can be.
var gitOpsManifests = template.Must(template.New("manifests").Parse(`
apiVersion: trustbuilder-mfa.dev/v1alpha1
kind: MFAConnection
metadata: {name: full, namespace: {{.mfa}}, labels: {gitops: "true"}}
spec:
  url: {{.url}}
  caBundle: {{.ca}}
  tokenSecretRef: {name: token, key: token}
  resyncInterval: 120s
  rateLimit: {requestsPerSecond: 1000, burst: 1000}
  codeLifetimes: {short: 15m, inactive: 504h, link: 504h}
  allowedNamespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: {{.team}}}}}
  policy: {loginPatterns: ["*@example.com"], roles: [User], groups: ["staff*"], adoption: Allow}
  changeGuard: {maxRemovals: 10, window: 60m}
---
apiVersion: trustbuilder-mfa.dev/v1alpha1
kind: MFAConnection
metadata: {name: minimal, namespace: {{.mfa}}, labels: {gitops: "true"}}
spec:
  url: {{.url}}
  caBundle: {{.ca}}
  tokenSecretRef: {name: token}
---
apiVersion: trustbuilder-mfa.dev/v1alpha1
kind: MFAUser
metadata: {name: full, namespace: {{.team}}, labels: {gitops: "true"}}
spec:
  connectionRef: {name: full, namespace: {{.mfa}}}
  login: Full@example.com
  firstName: Françoise
  lastName: ""
  email: full@example.com
  phone: "+33 6 12 34 56 78"
  language: fr
  role: User
  access: Allowed
  groups: [{name: staff, role: User}]
  adoptionPolicy: IfExists
  deletionPolicy: Delete
  managementPolicy: Full
  suspend: false
  code: {generation: 1, purpose: Enrollment, type: Link, delivery: SecretAndEmail, secretName: full-code, renewal: WhenExpired, activation: Later}
---
apiVersion: trustbuilder-mfa.dev/v1alpha1
kind: MFAUser
metadata: {name: minimal, namespace: {{.mfa}}, labels: {gitops: "true"}}
spec:
  connectionRef: {name: minimal}
  login: minimal@example.com
`))

// manifests is a file with them.
func (w *world) manifests(t *testing.T) string {
	w.t.Helper()
	file := filepath.Join(t.TempDir(), "manifests.yaml")
	out, err := os.Create(file)
	w.g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = out.Close() }()
	indented := "|\n    " + strings.ReplaceAll(strings.TrimSpace(w.ca), "\n", "\n    ")
	w.g.Expect(gitOpsManifests.Execute(out, map[string]string{
		"url": w.url, "ca": indented, "mfa": w.mfaNamespace, "team": w.namespace,
	})).To(Succeed())
	return file
}

// kubectl runs it as an administrator and returns what it says; diff ends with an error when there is a difference.
func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.ctx, cluster.Kubectl(), append([]string{"--kubeconfig", cluster.AdminKubeconfig()}, args...)...)
	out, err := cmd.CombinedOutput()
	w.g.Expect(err).NotTo(HaveOccurred(), "kubectl %v\n%s", args, out)
	return string(out)
}

// applied are the objects of the manifests.
func (w *world) applied() []unstructured.Unstructured {
	w.t.Helper()
	var all []unstructured.Unstructured
	for _, kind := range []string{"MFAConnectionList", "MFAUserList"} {
		for _, namespace := range []string{w.mfaNamespace, w.namespace} {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
			w.g.Expect(w.client.List(w.ctx, list, client.InNamespace(namespace), client.MatchingLabels{"gitops": "true"})).To(Succeed())
			all = append(all, list.Items...)
		}
	}
	return all
}

func (w *world) awaitAllReady() {
	w.t.Helper()
	w.g.Eventually(func() (ready int) {
		for _, object := range w.applied() {
			conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
			for _, c := range conditions {
				if c := c.(map[string]any); c["type"] == v1alpha1.ConditionReady && c["status"] == string(metav1.ConditionTrue) {
					ready++
				}
			}
		}
		return ready
	}).Should(Equal(4))
}

// awaitQuiet waits until the operator has written nothing for two of the shortest intervals.
func (w *world) awaitQuiet() {
	w.t.Helper()
	var last []string
	since := time.Time{}
	w.g.Eventually(func() time.Duration {
		var now []string
		for _, object := range w.applied() {
			now = append(now, object.GetResourceVersion())
		}
		if strings.Join(now, " ") != strings.Join(last, " ") {
			last, since = now, time.Now()
		}
		return time.Since(since)
	}).Should(BeNumerically(">", 2*interval))
}

// specOwners are the field managers that have set anything in spec.
func specOwners(object unstructured.Unstructured) []string {
	return owners(object, func(entry metav1.ManagedFieldsEntry) bool {
		return strings.Contains(entry.FieldsV1.GetRawString(), `"f:spec"`)
	})
}

// annotationOwners are those beside kubectl's client-side apply, which keeps its record in one, that have set an annotation.
func annotationOwners(object unstructured.Unstructured) []string {
	return owners(object, func(entry metav1.ManagedFieldsEntry) bool {
		return strings.Contains(entry.FieldsV1.GetRawString(), `"f:annotations"`) && !strings.Contains(entry.FieldsV1.GetRawString(), "last-applied-configuration")
	})
}

func owners(object unstructured.Unstructured, owns func(metav1.ManagedFieldsEntry) bool) (names []string) {
	for _, entry := range object.GetManagedFields() {
		if owns(entry) {
			names = append(names, entry.Manager)
		}
	}
	return names
}
