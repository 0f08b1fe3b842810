package storm

import (
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/test/program"
)

// The names that config/default gives.
const (
	systemNamespace = "trustbuilder-mfa-system"
	serviceAccount  = "trustbuilder-mfa-controller-manager"
)

// stage is what both runs share: the control plane and the program.
type stage struct {
	t       *testing.T
	g       *WithT
	cluster *localcluster.Cluster
	admin   client.Client

	program, kubeconfig, log string
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, g: NewWithT(t)}
	dir := t.TempDir()
	say("building the manager, starting the control plane")
	var err error
	s.program, err = program.Build(t.Context(), dir)
	s.g.Expect(err).NotTo(HaveOccurred())
	s.cluster, err = localcluster.Start(t.Context(), localcluster.Options{CRDPaths: []string{"../../config/crd/bases"}})
	s.g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { s.g.Expect(s.cluster.Stop()).To(Succeed()) })
	s.install()

	config := rest.CopyConfig(s.cluster.Config)
	config.QPS = -1
	s.admin, err = client.New(config, client.Options{Scheme: controller.NewScheme()})
	s.g.Expect(err).NotTo(HaveOccurred())
	access, err := s.cluster.ServiceAccountConfig(t.Context(), systemNamespace, serviceAccount)
	s.g.Expect(err).NotTo(HaveOccurred())
	s.kubeconfig, s.log = filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "manager.log")
	s.g.Expect(localcluster.WriteKubeconfig(access, s.kubeconfig)).To(Succeed())
	return s
}

// install applies config/default, for the rights of the ServiceAccount.
func (s *stage) install() {
	cmd := exec.Command(s.cluster.Kubectl(), "--kubeconfig="+s.cluster.AdminKubeconfig(),
		"apply", "--server-side", "--force-conflicts", "-k", "../../config/default")
	out, err := cmd.CombinedOutput()
	s.g.Expect(err).NotTo(HaveOccurred(), string(out))
}
