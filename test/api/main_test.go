package api_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// The API server that all tests of this package share, with everything in config/default applied to it.
var (
	cluster *localcluster.Cluster
	admin   client.Client
	applied string // what kubectl said while applying
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := withCluster(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withCluster(run func() int) (code int, err error) {
	ctx := context.Background()
	// The controllers fill the aggregated roles.
	cluster, err = localcluster.Start(ctx, localcluster.Options{WithControllerManager: true})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := cluster.Stop(); err == nil {
			err = stopErr
		}
	}()
	if applied, err = kubectl(ctx, "apply", "-k", "../../config/default"); err != nil {
		return 1, err
	}
	if _, err = kubectl(ctx, "wait", "--for=condition=Established", "--timeout=60s", "crd",
		"mfausers.trustbuilder-mfa.dev", "mfaconnections.trustbuilder-mfa.dev"); err != nil {
		return 1, err
	}
	scheme := runtime.NewScheme()
	if err = clientgoscheme.AddToScheme(scheme); err != nil {
		return 1, err
	}
	if err = v1alpha1.AddToScheme(scheme); err != nil {
		return 1, err
	}
	if admin, err = client.New(cluster.Config, client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	return run(), nil
}

// kubectl runs as the administrator and returns all it printed.
func kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, cluster.Kubectl(), append([]string{"--kubeconfig=" + cluster.AdminKubeconfig()}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// fields are values by dotted path in spec; nil takes a field away.
type fields map[string]any

// object is a valid object of the kind with the fields set. Untyped, so that it holds what a manifest states and nothing else.
func object(g Gomega, kind, namespace, name string, set fields) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
	o.SetNamespace(namespace)
	o.SetName(name)
	change(g, o, map[string]fields{
		"MFAUser":       {"connectionRef.name": "production", "login": name + "@example.com"},
		"MFAConnection": {"tokenSecretRef.name": "token"},
	}[kind])
	change(g, o, set)
	return o
}

func change(g Gomega, o *unstructured.Unstructured, set fields) {
	for path, value := range set {
		keys := append([]string{"spec"}, strings.Split(path, ".")...)
		if value == nil {
			unstructured.RemoveNestedField(o.Object, keys...)
			continue
		}
		g.Expect(unstructured.SetNestedField(o.Object, value, keys...)).To(Succeed())
	}
}

// expectOutcome wants no error for "", else an Invalid error with that text in it.
func expectOutcome(g Gomega, err error, want string) {
	if want == "" {
		g.ExpectWithOffset(1, err).NotTo(HaveOccurred())
		return
	}
	g.ExpectWithOffset(1, err).To(MatchError(And(ContainSubstring("is invalid"), ContainSubstring(want))))
}

// newNamespace makes a namespace for one test.
func newNamespace(ctx context.Context, g Gomega) string {
	ns := &corev1.Namespace{}
	ns.GenerateName = "test-"
	g.Expect(admin.Create(ctx, ns)).To(Succeed())
	return ns.Name
}
