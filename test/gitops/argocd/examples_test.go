package argocd

import (
	"bytes"
	"os"
	"testing"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestExamples decodes the examples by Argo CD's own types: a field that it does not know fails.
func TestExamples(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile(integration + "applications.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	kinds := map[string]int{}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var meta metav1.TypeMeta
		g.Expect(yaml.Unmarshal(document, &meta)).To(Succeed())
		g.Expect(meta.APIVersion).To(Equal(v1alpha1.SchemeGroupVersion.String()))
		kinds[meta.Kind]++
		switch meta.Kind {
		case "Application":
			var app v1alpha1.Application
			g.Expect(yaml.UnmarshalStrict(document, &app)).To(Succeed())
			g.Expect(app.Finalizers).To(BeEmpty(), "an Application that goes must not take people's accounts with it")
			expectNoIgnoring(g, app.Spec)
		case "ApplicationSet":
			var set v1alpha1.ApplicationSet
			g.Expect(yaml.UnmarshalStrict(document, &set)).To(Succeed())
			g.Expect(set.Spec.SyncPolicy.PreserveResourcesOnDeletion).To(BeTrue())
			expectNoIgnoring(g, set.Spec.Template.Spec)
		}
	}
	g.Expect(kinds).To(Equal(map[string]int{"Application": 2, "ApplicationSet": 1}))
}

func expectNoIgnoring(g Gomega, spec v1alpha1.ApplicationSpec) {
	g.Expect(spec.IgnoreDifferences).To(BeEmpty(), "nothing differs, see TestNoDiff")
	g.Expect(spec.SyncPolicy.Automated.GetAllowEmpty()).To(BeFalse())
}
