package e2e

import (
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestLateLeader freezes the leader in the middle of three calls until another has taken over and done their work, and
// lets it go on then. It has the answers of its calls, one of them with a code that the other's has cancelled, and
// believes for a moment that it leads.
func TestLateLeader(t *testing.T) {
	w := newWorld(t)
	leader, name := w.startLeader()
	held := w.holdCalls(
		heldCall{"IssueCode", 1, mfasim.After},      // carol's, whose creation was not answered
		heldCall{"CreateAccount", 2, mfasim.Before}, // alice's
		heldCall{"CreateAccount", 3, mfasim.After},  // bob's
	)
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
	for n, user := range []string{"carol", "alice", "bob"} {
		w.create(w.user(user))
		w.g.Eventually(held.count).Should(Equal(n+1), "the call of %s is under way", user)
	}
	standby := w.startStandby()
	w.g.Expect(leader.Freeze()).To(Succeed())

	w.awaitOtherLeader(name, 20*time.Second)
	w.awaitReady("alice", "bob", "carol")
	w.awaitRenewal() // one that is frozen in the middle of the next has lost its lease when it thaws
	w.g.Expect(standby.Freeze()).To(Succeed(), "so that every call from now on is the late one's")
	held.release()
	w.g.Eventually(w.underWay.Load).Should(BeZero())
	w.sim.ResetCalls()
	w.g.Expect(leader.Thaw()).To(Succeed())
	w.g.Eventually(leader.Exited()).Should(BeClosed(), "it notices and ends")
	w.g.Expect(leader.ExitCode()).NotTo(BeZero(), "so that it is started again")
	w.g.Expect(w.sim.Calls()).To(BeEmpty(), "it began no call")

	w.g.Expect(standby.Thaw()).To(Succeed())
	w.expectAllWithLiveCode([]string{"alice", "bob", "carol"})
	w.g.Expect(w.leaseHolder()).NotTo(BeElementOf("", name))
	w.g.Expect(standby.Exited()).NotTo(BeClosed())
}

// heldCall is a moment of one call, counted from 1 over all users.
type heldCall struct {
	op    string
	nth   int
	phase mfasim.Phase
}

// heldCalls are calls that wait at the service.
type heldCalls struct {
	mu      sync.Mutex
	seen    map[string]int
	waiting int
	let     chan struct{}
}

// holdCalls lets the service hold the given calls back, before the work or after it, until they are released.
func (w *world) holdCalls(calls ...heldCall) *heldCalls {
	held := &heldCalls{seen: map[string]int{}, let: make(chan struct{})}
	w.t.Cleanup(held.release)
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		held.mu.Lock()
		if phase == mfasim.Before {
			held.seen[op]++ // the calls come one after the other: which one it is shows in the count
		}
		now, hold := heldCall{op, held.seen[op], phase}, false
		for _, call := range calls {
			hold = hold || call == now
		}
		if hold {
			held.waiting++
		}
		held.mu.Unlock()
		if hold {
			<-held.let
		}
	})
	return held
}

func (h *heldCalls) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waiting
}

// release lets the held calls go on. Releasing twice is harmless.
func (h *heldCalls) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.let:
	default:
		close(h.let)
	}
}
