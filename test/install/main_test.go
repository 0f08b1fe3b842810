package install

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/test/program"
)

const root = "../.."

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// site is a control plane to install on, with an audit log.
type site struct {
	t       *testing.T
	g       *WithT
	ctx     context.Context
	cluster *localcluster.Cluster
	client  client.Client
	dir     string
}

// newSite starts a control plane that knows the kinds of the Prometheus operator, and nothing of this one.
func newSite(t *testing.T) *site {
	s := &site{t: t, g: NewWithT(t), ctx: t.Context(), dir: t.TempDir()}
	s.g.SetDefaultEventuallyTimeout(30 * time.Second)
	s.g.SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	prometheus, err := program.Module(s.ctx, "prometheus-operator.mod", "github.com/prometheus-operator/prometheus-operator")
	s.g.Expect(err).NotTo(HaveOccurred())
	var crds []string
	for _, name := range []string{"servicemonitors", "prometheusrules"} {
		crds = append(crds, filepath.Join(prometheus, "example", "prometheus-operator-crd", "monitoring.coreos.com_"+name+".yaml"))
	}
	s.cluster, err = localcluster.Start(s.ctx, localcluster.Options{
		AuditLog: filepath.Join(s.dir, "audit.log"), WithControllerManager: true, CRDPaths: crds,
	})
	s.g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { s.g.Expect(s.cluster.Stop()).To(Succeed()) })
	scheme := controller.NewScheme()
	s.g.Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	s.client, err = client.New(s.cluster.Config, client.Options{Scheme: scheme})
	s.g.Expect(err).NotTo(HaveOccurred())
	return s
}

// kubectl runs as the administrator and returns what it printed.
func (s *site) kubectl(args ...string) string {
	s.t.Helper()
	return run(s.t, s.cluster.Kubectl(), append([]string{"--kubeconfig=" + s.cluster.AdminKubeconfig()}, args...)...)
}

func (s *site) create(objects ...client.Object) {
	s.t.Helper()
	for _, object := range objects {
		s.g.Expect(s.client.Create(s.ctx, object)).To(Succeed())
	}
}

func (s *site) createNamespaces(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
}

// run runs a program to a good end and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s %s\n%s", filepath.Base(name), strings.Join(args, " "), out)
	return string(out)
}

// named finds an object among rendered ones.
func named(t *testing.T, objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	t.Fatalf("no %s %s", kind, name)
	return nil
}
