package e2e

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/test/program"
)

// TestForeignSecretsWeighNothing: Secrets that are not the operator's cost it no memory, neither while they appear nor in a
// start among them. Its own program is measured, for this process holds the test's memory too.
func TestForeignSecretsWeighNothing(t *testing.T) {
	const foreign, size, allowed = 300, 1_000_000, 10 << 20
	w := newWorld(t)
	first := w.startReplica()
	w.make("alice")
	alone := w.peakMemory(first)

	w.makeForeignSecrets(foreign, size)
	w.make("bob")
	among := w.peakMemory(first)
	w.end(first)

	second := w.startReplica()
	w.make("carol")
	after := w.peakMemory(second)
	w.end(second)

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

// peakMemory of a process of the manager, in bytes.
func (w *world) peakMemory(p *program.Process) int {
	w.t.Helper()
	peak, err := p.PeakMemory()
	w.g.Expect(err).NotTo(HaveOccurred())
	return peak
}

// end ends a process in good order, which gives its lease back.
func (w *world) end(p *program.Process) {
	w.t.Helper()
	w.g.Expect(p.Terminate()).To(Succeed())
	w.g.Eventually(p.Exited(), 40*time.Second).Should(BeClosed())
}
