package e2e

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/manager"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestLeaderIsKilled: the other replica takes over within 20 seconds and goes on with the work.
func TestLeaderIsKilled(t *testing.T) {
	w := newWorld(t)
	leader, name := w.startLeader()
	w.startStandby()
	names := w.createInTheMiddle(leader.Kill)
	took := w.awaitOtherLeader(name, 20*time.Second)
	w.expectAllWithLiveCode(names)
	t.Logf("the lease moved %.1f s after the leader was killed", took.Seconds())
}

// TestLeaderEndsInGoodOrder: it hands the lease over instead of letting it run out.
func TestLeaderEndsInGoodOrder(t *testing.T) {
	w := newWorld(t)
	leader, name := w.startLeader()
	w.startStandby()
	names := w.createInTheMiddle(func() { w.g.Expect(leader.Terminate()).To(Succeed()) })
	took := w.awaitOtherLeader(name, leaseDuration/2)
	w.g.Eventually(leader.Exited()).Should(BeClosed())
	w.g.Expect(leader.ExitCode()).To(BeZero())
	w.expectAllWithLiveCode(names)
	t.Logf("the lease moved %.1f s after the leader was asked to end", took.Seconds())
}

// TestLostLease: a manager that can't renew its lease ends, cancels the call that is under way and begins none. The program
// ends with it; here the process lives on, so that a call that went on would be seen.
func TestLostLease(t *testing.T) {
	w := newWorld(t)
	elected := func(o *manager.Options) { o.LeaderElect = true }
	op := w.start(elected)
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultHang, Count: 1})
	w.create(w.user("alice"))
	w.g.Eventually(func() int { return w.sim.Calls()["CreateAccount"] }).Should(Equal(1))

	w.noLease.Store(true)
	w.g.Eventually(op.ended, leaseDuration).Should(BeClosed(), "before another one may lead")
	w.g.Expect(op.err).To(MatchError(ContainSubstring("leader election lost")))
	w.g.Eventually(w.underWay.Load, leaseDuration/8).Should(BeZero(), "the call that hung is cancelled, long before its time-out")
	w.sim.ResetCalls()
	w.create(w.user("bob"))
	w.g.Consistently(w.sim.Calls, 2*interval).Should(BeEmpty(), "nothing is begun any more")

	w.noLease.Store(false)
	w.dropLease()
	w.start(elected)
	w.expectAllWithLiveCode([]string{"alice", "bob"})
}

// createInTheMiddle makes users and lets something happen while some of them have an account and others have none.
func (w *world) createInTheMiddle(happen func()) (names []string) {
	w.t.Helper()
	const users = 60
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultLatency, Latency: 300 * time.Millisecond})
	for n := range users {
		names = append(names, fmt.Sprintf("user-%d", n))
		w.create(w.user(names[n]))
	}
	w.g.Eventually(func() int { return len(w.sim.Accounts()) }).Should(BeNumerically(">", users/4))
	happen()
	w.g.Expect(len(w.sim.Accounts())).To(BeNumerically("<", users), "there must be work left")
	return names
}

// expectAllWithLiveCode waits until the users are Ready: one account each, and the live code in the Secret.
func (w *world) expectAllWithLiveCode(names []string) {
	w.t.Helper()
	w.awaitReady(names...)
	w.g.Expect(w.sim.Accounts()).To(HaveLen(len(names)+1), "one for each, and the administrator's")
	for _, name := range names {
		w.expectLiveCodeInSecret(name)
	}
}

func (w *world) expectLiveCodeInSecret(name string) {
	w.t.Helper()
	user := w.get(name)
	w.g.Expect(user.Status.AccountID).To(Equal(w.account(name).ID.String()), name)
	w.g.Expect(user.Status.Code).To(HaveValue(HaveField("Phase", v1alpha1.CodeActive)), name)
	w.g.Expect(w.sim.Accepts(string(w.secret(name).Data[v1alpha1.KeyLink]))).To(BeTrue(), "the Secret of %s holds the live code", name)
}
