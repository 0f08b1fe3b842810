package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// TestForeignSecretsWeighNothing: Secrets that are not the operator's cost it no memory, neither while they appear nor in a
// start among them. Its own program is measured, for this process holds the test's memory too.
func TestForeignSecretsWeighNothing(t *testing.T) {
	const foreign, size, allowed = 300, 1_000_000, 10 << 20
	w := newWorld(t)
	program, kubeconfig := w.buildManager()
	first := w.run(program, kubeconfig)
	w.make("alice")
	alone := first.peakMemory()

	w.makeForeignSecrets(foreign, size)
	w.make("bob")
	among := first.peakMemory()
	first.stop()

	second := w.run(program, kubeconfig)
	w.make("carol")
	after := second.peakMemory()
	second.stop()

	t.Logf("peak memory in MiB: %d alone, %d while Secrets appear, %d in a start among them", alone>>20, among>>20, after>>20)
	w.g.Expect(among-alone).To(BeNumerically("<", allowed), "while they appear")
	w.g.Expect(after-alone).To(BeNumerically("<", allowed), "in a start among them")
}

// make makes a user and waits until the manager is done with it: then all its caches have filled.
func (w *world) make(name string) {
	w.t.Helper()
	w.create(w.user(name))
	w.awaitReady(name)
}

// makeForeignSecrets makes large Secrets without a label of ours, and takes them away in the end.
func (w *world) makeForeignSecrets(count, size int) {
	w.t.Helper()
	config := rest.CopyConfig(cluster.Config)
	config.QPS = -1
	admin, err := client.New(config, client.Options{Scheme: controller.NewScheme()})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.t.Cleanup(func() {
		w.g.Expect(admin.DeleteAllOf(context.Background(), &corev1.Secret{}, client.InNamespace(w.namespace))).To(Succeed())
	})
	group, ctx := errgroup.WithContext(w.ctx)
	group.SetLimit(8)
	for n := range count {
		group.Go(func() error {
			return admin.Create(ctx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprintf("foreign-%d", n), Labels: map[string]string{"app": "other"}},
				Data:       map[string][]byte{"data": bytes.Repeat([]byte{byte(n)}, size)},
			})
		})
	}
	w.g.Expect(group.Wait()).To(Succeed())
}

// program is the manager as a process of its own.
type program struct {
	world  *world
	cmd    *exec.Cmd
	output bytes.Buffer
}

func (w *world) buildManager() (path, kubeconfig string) {
	w.t.Helper()
	dir := w.t.TempDir()
	path, kubeconfig = filepath.Join(dir, "manager"), filepath.Join(dir, "kubeconfig")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/manager").CombinedOutput() //nolint:gosec // our own folder
	w.g.Expect(err).NotTo(HaveOccurred(), "%s", out)
	w.g.Expect(localcluster.WriteKubeconfig(managerConfig, kubeconfig)).To(Succeed())
	return path, kubeconfig
}

func (w *world) run(path, kubeconfig string) *program {
	w.t.Helper()
	p := &program{world: w, cmd: exec.Command(path, //nolint:gosec // built above
		"--kubeconfig="+kubeconfig, "--metrics-bind-address=0", "--health-probe-bind-address=0")}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // without GOGC and GOMEMLIMIT of the caller
	w.g.Expect(p.cmd.Start()).To(Succeed())
	w.t.Cleanup(p.stop)
	return p
}

// stop ends the program in good order. Stopping twice is harmless.
func (p *program) stop() {
	p.world.t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	p.world.g.Expect(p.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
	kill := time.AfterFunc(40*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	p.world.g.Expect(p.cmd.Wait()).To(Succeed(), "%s", &p.output)
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// peakMemory is the most memory that the program has ever had resident, in bytes. It never shrinks, so that what was
// held for a moment counts as well.
func (p *program) peakMemory() int {
	p.world.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	p.world.g.Expect(err).NotTo(HaveOccurred())
	found := highWater.FindSubmatch(status)
	p.world.g.Expect(found).NotTo(BeNil(), "%s", status)
	kib, err := strconv.Atoi(string(found[1]))
	p.world.g.Expect(err).NotTo(HaveOccurred())
	return kib << 10
}
