package flux

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestExamples decodes the examples by Flux's own types: a field that Flux does not know fails, and so does a name that
// leads nowhere.
func TestExamples(t *testing.T) {
	g := NewWithT(t)
	kustomizations, sources := map[string]kustomizev1.Kustomization{}, map[string]*sourcev1.GitRepositoryRef{}
	files, err := filepath.Glob("../../../integrations/flux/*.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		text, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			var meta metav1.TypeMeta
			g.Expect(yaml.Unmarshal(document, &meta)).To(Succeed())
			switch meta.GroupVersionKind() {
			case sourcev1.GroupVersion.WithKind("GitRepository"):
				var source sourcev1.GitRepository
				g.Expect(yaml.UnmarshalStrict(document, &source)).To(Succeed(), file)
				sources[source.Name] = source.Spec.Reference
			case kustomizev1.GroupVersion.WithKind("Kustomization"):
				var k kustomizev1.Kustomization
				g.Expect(yaml.UnmarshalStrict(document, &k)).To(Succeed(), file)
				kustomizations[k.Name] = k
			default:
				t.Errorf("%s: what is a %s?", file, meta.GroupVersionKind())
			}
		}
	}
	g.Expect(slices.Sorted(maps.Keys(kustomizations))).To(Equal([]string{"mfa-connection", "mfa-operator", "mfa-team-a"}))
	operator := kustomizations["mfa-operator"].Spec
	g.Expect(sources["mfa-operator"]).To(Equal(&sourcev1.GitRepositoryRef{Tag: operator.Images[0].NewTag}), "manifests and image of one version")
	for name, k := range kustomizations {
		g.Expect(sources).To(HaveKey(k.Spec.SourceRef.Name), name)
		for _, on := range k.Spec.DependsOn {
			g.Expect(kustomizations).To(HaveKey(on.Name), name)
		}
		g.Expect(k.Spec.Wait).NotTo(Equal(len(k.Spec.HealthChecks) > 0), "%s: Flux looks at healthChecks only without wait", name)
		g.Expect(k.Spec.DeletionPolicy).To(Equal(kustomizev1.DeletionPolicyOrphan), "%s: who deletes it must not block people", name)
		g.Expect(k.Spec.HealthCheckExprs).To(BeEmpty(), "kstatus understands both kinds")
	}
}
