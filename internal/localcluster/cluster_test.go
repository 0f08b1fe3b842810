package localcluster_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

const widgetCRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`

// TestCluster starts one cluster with everything on; starting is what takes time.
func TestCluster(t *testing.T) {
	g := NewWithT(t)
	folder := t.TempDir()
	crds, audit := filepath.Join(folder, "crds"), filepath.Join(folder, "audit.log")
	g.Expect(os.Mkdir(crds, 0o700)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(crds, "widgets.yaml"), []byte(widgetCRD), 0o600)).To(Succeed())

	cluster, err := localcluster.Start(t.Context(), localcluster.Options{
		CRDPaths:              []string{crds},
		AuditLog:              audit,
		WithControllerManager: true,
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { testStop(t, cluster) })

	t.Run("serves the stamped version and the CRDs", func(t *testing.T) { testVersion(t, cluster) })
	t.Run("holds a ServiceAccount to its rights", func(t *testing.T) { testServiceAccount(t, cluster) })
	t.Run("audits who did what by which right", func(t *testing.T) { testAudit(t, cluster, audit) })
	t.Run("writes kubeconfigs for the owner only", func(t *testing.T) { testKubeconfig(t, cluster) })
	t.Run("removes a deleted namespace", func(t *testing.T) { testNamespaceDeletion(t, cluster) })
	t.Run("restarts the API server in place", func(t *testing.T) { testRestart(t, cluster) })
}

func testVersion(t *testing.T, cluster *localcluster.Cluster) {
	g := NewWithT(t)
	version, err := clients(g, cluster.Config).Discovery().ServerVersion()
	g.Expect(err).NotTo(HaveOccurred())
	// The download offers another patch release of the same minor at times.
	g.Expect(version.GitVersion).To(HavePrefix("v1.37."))
	kinds, err := clients(g, cluster.Config).Discovery().ServerResourcesForGroupVersion("example.com/v1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kinds.APIResources).To(ContainElement(HaveField("Kind", "Widget")))
}

func testServiceAccount(t *testing.T, cluster *localcluster.Cluster) {
	g := NewWithT(t)
	ctx := t.Context()
	admin := clients(g, cluster.Config)
	_, err := admin.CoreV1().ServiceAccounts("default").Apply(ctx, corev1ac.ServiceAccount("reader", "default"), applied)
	g.Expect(err).NotTo(HaveOccurred())
	config, err := cluster.ServiceAccountConfig(ctx, "default", "reader")
	g.Expect(err).NotTo(HaveOccurred())
	reader := clients(g, config)

	_, err = reader.CoreV1().ConfigMaps("default").List(ctx, metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "before the role: %v", err)

	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: "default"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}}},
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader", Namespace: "default"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "reader", Namespace: "default"}},
	}
	_, err = admin.RbacV1().Roles("default").Create(ctx, role, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = admin.RbacV1().RoleBindings("default").Create(ctx, binding, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	// The authorizer reads roles through a watch.
	g.Eventually(func() error {
		_, err := reader.CoreV1().ConfigMaps("default").List(ctx, metav1.ListOptions{})
		return err
	}, 10*time.Second).Should(Succeed())
	_, err = reader.CoreV1().Secrets("default").List(ctx, metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "what the role does not say: %v", err)
}

func testAudit(t *testing.T, cluster *localcluster.Cluster, path string) {
	g := NewWithT(t)
	secret := corev1ac.Secret("audited", "default").WithStringData(map[string]string{"key": "canary-in-a-body"})
	_, err := clients(g, cluster.Config).CoreV1().Secrets("default").Apply(t.Context(), secret, applied)
	g.Expect(err).NotTo(HaveOccurred())

	events, err := cluster.AuditEvents(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(ContainElement(And(
		HaveField("Verb", "patch"),
		HaveField("User.Username", "admin"),
		HaveField("ObjectRef", HaveValue(And(HaveField("Resource", "secrets"), HaveField("Name", "audited")))),
	)), "the write just made")
	g.Expect(events).To(ContainElement(And(
		HaveField("User.Username", "system:serviceaccount:default:reader"),
		HaveField("Annotations", HaveKeyWithValue("authorization.k8s.io/reason", ContainSubstring(`Role "reader"`))),
	)), "the right that allowed it")
	g.Expect(events).NotTo(ContainElement(HaveField("RequestURI", ContainSubstring("marker"))))
	log, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(log)).NotTo(ContainSubstring("canary-in-a-body"))
}

func testKubeconfig(t *testing.T, cluster *localcluster.Cluster) {
	g := NewWithT(t)
	config, err := cluster.ServiceAccountConfig(t.Context(), "default", "reader")
	g.Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(t.TempDir(), "new", "kubeconfig")
	g.Expect(localcluster.WriteKubeconfig(config, path)).To(Succeed())
	for file, user := range map[string]string{path: "system:serviceaccount:default:reader", cluster.AdminKubeconfig(): "admin"} {
		info, err := os.Stat(file)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
		read, err := clientcmd.BuildConfigFromFlags("", file)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(whoAmI(t.Context(), g, read)).To(Equal(user))
	}
}

func testNamespaceDeletion(t *testing.T, cluster *localcluster.Cluster) {
	g := NewWithT(t)
	ctx := t.Context()
	namespaces := clients(g, cluster.Config).CoreV1().Namespaces()
	_, err := namespaces.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "short-lived"}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = clients(g, cluster.Config).CoreV1().ConfigMaps("short-lived").Apply(ctx, corev1ac.ConfigMap("inside", "short-lived"), applied)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(namespaces.Delete(ctx, "short-lived", metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(func() bool {
		_, err := namespaces.Get(ctx, "short-lived", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, time.Minute).Should(BeTrue())
	events, err := cluster.AuditEvents(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(ContainElement(HaveField("User.Username", "system:serviceaccount:kube-system:namespace-controller")))
}

func testRestart(t *testing.T, cluster *localcluster.Cluster) {
	g := NewWithT(t)
	ctx := t.Context()
	config, err := cluster.ServiceAccountConfig(ctx, "default", "reader")
	g.Expect(err).NotTo(HaveOccurred())
	_, err = clients(g, cluster.Config).CoreV1().ConfigMaps("default").Apply(ctx, corev1ac.ConfigMap("kept", "default"), applied)
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(cluster.RestartAPIServer()).To(Succeed())

	_, err = clients(g, cluster.Config).CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred(), "data and the administrator's certificate")
	g.Expect(whoAmI(ctx, g, config)).To(Equal("system:serviceaccount:default:reader"), "a token from before")
}

func testStop(t *testing.T, cluster *localcluster.Cluster) {
	g := NewWithT(t)
	g.Expect(cluster.Stop()).To(Succeed())
	g.Expect(cluster.Stop()).To(Succeed(), "stopping twice is harmless")
	_, err := clients(g, cluster.Config).Discovery().ServerVersion()
	g.Expect(err).To(MatchError(syscall.ECONNREFUSED), "nothing is left running")
	_, err = os.Stat(cluster.AdminKubeconfig())
	g.Expect(err).To(MatchError(os.ErrNotExist), "nothing is left on the disk")
}
