package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/test/program"
)

// The lease and how long a manager holds it without a sign of life, as internal/manager has them.
const (
	leaseName     = "leader.trustbuilder-mfa.dev"
	leaseDuration = 14 * time.Second
)

// buildOnce builds the program and writes its kubeconfig when the first test needs them.
var buildOnce = sync.OnceValues(func() (path string, err error) {
	if err := localcluster.WriteKubeconfig(managerConfig, replicaKubeconfig()); err != nil {
		return "", err
	}
	return program.Build(context.Background(), scratch)
})

func replicaKubeconfig() string { return filepath.Join(scratch, "manager.kubeconfig") }

// startReplica runs the program under its ServiceAccount, as one of several that share the lease. It is killed when the
// test ends, and leaves no lease for the next test to wait for.
func (w *world) startReplica() *program.Process {
	w.t.Helper()
	path, err := buildOnce()
	w.g.Expect(err).NotTo(HaveOccurred())
	w.replicas++
	log := filepath.Join(scratch, fmt.Sprintf("%s-%d.log", w.namespace, w.replicas))
	p, err := program.Start(path, replicaKubeconfig(), log, "--leader-elect", "--leader-election-namespace="+systemNamespace)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.t.Cleanup(func() {
		p.Kill()
		if w.t.Failed() {
			w.t.Logf("the end of %s:\n%s", log, p.Tail(40))
		}
		w.dropLease()
	})
	return p
}

// dropLease spares a test the time until the lease of a dead manager has run out.
func (w *world) dropLease() {
	w.t.Helper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: leaseName}}
	w.g.Expect(client.IgnoreNotFound(w.client.Delete(context.Background(), lease))).To(Succeed())
}

// startLeader runs a replica that gets the lease, and returns it with its name on the lease.
func (w *world) startLeader() (leader *program.Process, name string) {
	w.t.Helper()
	leader = w.startReplica()
	w.g.Eventually(w.leaseHolder).ShouldNot(BeEmpty())
	return leader, w.leaseHolder()
}

// startStandby runs a replica beside a leader, and returns once it is after the lease.
func (w *world) startStandby() *program.Process {
	w.t.Helper()
	standby := w.startReplica()
	w.g.Eventually(func() string { return strings.ToLower(standby.Tail(50)) }).Should(ContainSubstring("attempting to acquire leader lease"))
	return standby
}

// leaseHolder is who holds the lease, empty when nobody does.
func (w *world) leaseHolder() string {
	var lease coordinationv1.Lease
	err := w.client.Get(w.ctx, client.ObjectKey{Namespace: systemNamespace, Name: leaseName}, &lease)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// awaitRenewal waits until the lease has just been renewed.
func (w *world) awaitRenewal() {
	w.t.Helper()
	renewed := func() *metav1.MicroTime {
		var lease coordinationv1.Lease
		w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: systemNamespace, Name: leaseName}, &lease)).To(Succeed())
		return lease.Spec.RenewTime
	}
	before := renewed()
	w.g.Eventually(renewed).ShouldNot(Equal(before))
}

// awaitOtherLeader waits until somebody else than the one before holds the lease, and returns how long that took.
func (w *world) awaitOtherLeader(before string, limit time.Duration) time.Duration {
	w.t.Helper()
	start := time.Now()
	w.g.Eventually(w.leaseHolder, limit).ShouldNot(Or(BeEmpty(), Equal(before)))
	return time.Since(start)
}
