package plugin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// systemNamespace is where config/default puts the manager.
const systemNamespace = "trustbuilder-mfa-system"

var (
	// cluster is shared by all tests, which have namespaces of their own.
	cluster *localcluster.Cluster
	// programs is the folder of kubectl-mfa, also under the name for completion.
	programs string
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	programs, err = os.MkdirTemp("", "kubectl-mfa-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(programs) }()
	if err := build(); err != nil {
		return 1, err
	}
	cluster, err = localcluster.Start(context.Background(), localcluster.Options{})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := cluster.Stop(); err == nil {
			err = stopErr
		}
	}()
	if err := install(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func build() error {
	path := filepath.Join(programs, "kubectl-mfa")
	cmd := exec.Command("go", "build", "-ldflags=-X main.version=v1.2.3", "-o", path, "github.com/trustbuilder-mfa/operator/cmd/kubectl-mfa")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build kubectl-mfa: %w\n%s", err, out)
	}
	return os.Symlink("kubectl-mfa", filepath.Join(programs, "kubectl_complete-mfa"))
}

// install applies config/default, as the README says. The Deployment is stored and never runs: there are no nodes.
func install() error {
	for _, args := range [][]string{
		{"apply", "--server-side", "-k", "../../config/default"},
		{"wait", "--for=condition=Established", "--timeout=30s", "crd/mfausers.trustbuilder-mfa.dev", "crd/mfaconnections.trustbuilder-mfa.dev"},
	} {
		cmd := exec.Command(cluster.Kubectl(), append([]string{"--kubeconfig", cluster.AdminKubeconfig()}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl %v: %w\n%s", args, err, out)
		}
	}
	return nil
}
