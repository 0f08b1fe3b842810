package argocd

import (
	"os"
	"testing"

	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

const integration = "../../../integrations/argocd/"

// overrides are the scripts as Argo CD reads them from its ConfigMap, once the snippet is merged into it.
func overrides(t *testing.T) lua.ResourceHealthOverrides {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(integration + "argocd-cm.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var snippet corev1.ConfigMap
	g.Expect(yaml.UnmarshalStrict(text, &snippet)).To(Succeed())
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: "argocd-secret", Namespace: snippet.Namespace, Labels: map[string]string{"app.kubernetes.io/part-of": "argocd"},
	}}
	manager := settings.NewSettingsManager(t.Context(), fake.NewClientset(&snippet, secret), snippet.Namespace)
	read, err := manager.GetResourceOverrides()
	g.Expect(err).NotTo(HaveOccurred())
	for _, kind := range []string{"MFAUser", "MFAConnection"} {
		g.Expect(read["trustbuilder-mfa.dev/"+kind].HealthLua).NotTo(BeEmpty(), kind)
		g.Expect(read["trustbuilder-mfa.dev/"+kind].Actions).NotTo(BeEmpty(), kind)
		g.Expect(read["trustbuilder-mfa.dev/"+kind].UseOpenLibs).To(BeFalse(), "the scripts need no library that an administrator has to open")
	}
	return read
}
