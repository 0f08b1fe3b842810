package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const controllerManager = "kube-controller-manager"

// controllers are those that act on objects of the API alone. The others deal
// with nodes, volumes and clouds, of which there are none.
var controllers = []string{
	"namespace-controller",
	"garbage-collector-controller",
	"serviceaccount-controller",
	"resourcequota-controller",
	"clusterrole-aggregation-controller",
	"deployment-controller",
	"replicaset-controller",
}

// managerProcess is a running kube-controller-manager.
type managerProcess struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
}

func (c *Cluster) startControllerManager(ctx context.Context) error {
	cmd := exec.Command(c.program(controllerManager), //nolint:gosec // a folder the caller names
		"--kubeconfig="+c.AdminKubeconfig(),
		"--controllers="+strings.Join(controllers, ","),
		// As in every real cluster: each controller is held to its own bootstrap
		// role, and the audit log tells them from the administrator.
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+filepath.Join(c.certDir(), "sa-signer.key"),
		"--leader-elect=false",
		"--secure-port=0",
	)
	output := newOutput(c.options)
	cmd.Stdout, cmd.Stderr = output.out, output.err
	// A group of its own, as envtest does: Ctrl-C must reach us, not it, so that
	// the order of stopping holds.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", controllerManager, err)
	}
	c.manager = &managerProcess{cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // an early end shows as the closed channel
		close(c.manager.exited)
	}()
	if err := c.waitForControllers(ctx); err != nil {
		return fmt.Errorf("start %s: %w\n%s", controllerManager, err, output.tail)
	}
	return nil
}

// waitForControllers waits for the first thing they do in every cluster: giving
// the default namespace its default ServiceAccount.
func (c *Cluster) waitForControllers(ctx context.Context) error {
	clients, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	accounts := clients.CoreV1().ServiceAccounts(metav1.NamespaceDefault)
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, programTimeout, true, func(ctx context.Context) (bool, error) {
		select {
		case <-c.manager.exited:
			return false, errors.New("it has ended")
		default:
		}
		_, err := accounts.Get(ctx, "default", metav1.GetOptions{})
		return err == nil, ignoreNotFound(err)
	})
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (m *managerProcess) stop() error {
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", controllerManager, err)
	}
	select {
	case <-m.exited:
		return nil
	case <-time.After(programTimeout):
		return errors.Join(fmt.Errorf("stop %s: it did not end in %s", controllerManager, programTimeout), m.cmd.Process.Kill())
	}
}
