package e2e

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestSteadyState counts what users cost: while they are made, while nothing happens, and in a restart.
func TestSteadyState(t *testing.T) {
	const users, pages = 250, 3 // with the administrator's account, 251 in pages of 100
	w := newWorld(t)
	w.start().awaitListing()
	w.sim.ResetCalls()
	log := w.audit()
	for n := range users {
		w.create(w.user(fmt.Sprintf("user-%d", n)))
	}
	w.g.Eventually(w.countReady, "90s").Should(Equal(users))
	calls := w.sim.Calls()
	delete(calls, "ListAccounts")
	w.g.Expect(calls).To(Equal(map[string]int{"CreateAccount": users}), "a new user costs one POST")
	writes := log.writes()
	delete(writes, "patch mfaconnections/status") // the counts, at most once a minute
	w.g.Expect(writes).To(Equal(map[string]int{
		"patch mfausers": users, "patch mfausers/status": 2 * users, "patch secrets": users + 1, "patch mfaconnections": 1,
	}), "and four writes; the first of a connection keeps that and its token")
	w.operators[0].stop()

	// The next manager writes the new counts, which the last one held back for a minute.
	w.start().awaitListing()
	w.g.Eventually(func() int32 { return w.getConnection().Status.Accounts.Managed }).Should(BeEquivalentTo(users))
	w.expectOnlyListings(pages)
	w.operators[1].stop()

	before := reconciled("mfauser")
	log = w.audit()
	w.sim.ResetCalls()
	w.start()
	w.g.Eventually(func() int { return reconciled("mfauser") - before }).Should(BeNumerically(">=", users))
	w.expectOnlyListings(pages)
	w.g.Expect(log.writes()).To(BeEmpty(), "a restart writes nothing")
}

// expectOnlyListings watches two intervals go by in which nothing happens but listings, and not more than two.
func (w *world) expectOnlyListings(pages int) {
	w.t.Helper()
	begun := w.sim.Now() // before the count begins: finding the end of the audit log takes its time on a busy machine
	w.sim.ResetCalls()
	log := w.audit()
	w.g.Eventually(func() int { return w.sim.Calls()["ListAccounts"] }).Should(BeNumerically(">=", 3*pages))
	w.g.Expect(w.sim.Now().Sub(begun)).To(BeNumerically(">=", 2*interval-interval/4), "one listing per interval")
	calls := w.sim.Calls()
	w.g.Expect(calls).To(HaveLen(1), "%v", calls)
	w.g.Expect(log.writes()).To(BeEmpty(), "nothing is written while nothing happens")
}

// awaitListing waits for the first listing of this manager to have ended.
func (o *operator) awaitListing() {
	o.world.t.Helper()
	o.world.sim.ResetCalls()
	o.world.g.Eventually(func() int { return o.world.sim.Calls()["ListAccounts"] }).Should(BeNumerically(">", 0))
	o.world.awaitConnection("True Reconciled")
}

func (w *world) countReady() int {
	var list v1alpha1.MFAUserList
	w.g.Expect(w.client.List(w.ctx, &list)).To(Succeed())
	n := 0
	for _, user := range list.Items {
		if readiness(user.Generation, user.Status.ObservedGeneration, user.Status.Conditions) == "True Reconciled" {
			n++
		}
	}
	return n
}

// reconciled counts the passes of a controller since the process began.
func reconciled(controller string) int {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return 0
	}
	n := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "controller" && label.GetValue() == controller {
					n += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return int(n)
}
