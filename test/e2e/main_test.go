package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// What config/default calls its things.
const (
	systemNamespace = "trustbuilder-mfa-system"
	serviceAccount  = "trustbuilder-mfa-controller-manager"
	managerUser     = "system:serviceaccount:" + systemNamespace + ":" + serviceAccount
)

var (
	// cluster is shared by all tests. A manager watches all namespaces, so there is one at a time and no test is parallel.
	cluster *localcluster.Cluster
	// managerConfig is the access of the manager's ServiceAccount.
	managerConfig *rest.Config
	// scratch is a folder for the files of this run.
	scratch string
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logs.logger())
	klog.SetLogger(ctrl.Log)
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	scratch, err = os.MkdirTemp("", "e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	ctx := context.Background()
	cluster, err = localcluster.Start(ctx, localcluster.Options{AuditLog: filepath.Join(scratch, "audit.log"), WithControllerManager: true})
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
	managerConfig, err = cluster.ServiceAccountConfig(ctx, systemNamespace, serviceAccount)
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// install applies config/default, as the README says. The Deployment is stored and never runs: there are no nodes.
func install() error {
	kubectl := func(args ...string) error {
		cmd := exec.Command(cluster.Kubectl(), append([]string{"--kubeconfig", cluster.AdminKubeconfig()}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl %v: %w\n%s", args, err, out)
		}
		return nil
	}
	if err := kubectl("apply", "--server-side", "-k", "../../config/default"); err != nil {
		return err
	}
	return kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/mfausers.trustbuilder-mfa.dev", "crd/mfaconnections.trustbuilder-mfa.dev")
}
