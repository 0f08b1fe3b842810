package e2e

import (
	"net"
	"net/url"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestAPIServerRestarts takes the API server away in the middle of work, and once more: the manager lives on and ends its
// work. Two answers come while there is nobody to store them with.
func TestAPIServerRestarts(t *testing.T) {
	w := newWorld(t)
	w.g.SetDefaultEventuallyTimeout(2 * time.Minute) // delays after failures have grown meanwhile
	op := w.start()
	held := w.holdCalls(heldCall{"CreateAccount", 1, mfasim.Before}, heldCall{"CreateAccount", 2, mfasim.After})
	for n, user := range []string{"alice", "bob"} {
		w.create(w.user(user))
		w.g.Eventually(held.count).Should(Equal(n+1), "the call of %s is under way", user)
	}
	w.restartAPIServer(func() {
		held.release()
		w.g.Eventually(w.underWay.Load).Should(BeZero())
	})
	w.expectAllWithLiveCode([]string{"alice", "bob"})
	w.g.Expect(w.sim.CodesIssued(loginOf("bob"))).To(BeNumerically("<=", 2), "the one that could not be stored, and another")

	w.create(w.user("carol"))
	w.restartAPIServer(func() {})
	w.create(w.user("dave"))
	w.expectAllWithLiveCode([]string{"alice", "bob", "carol", "dave"})
	w.g.Expect(op.ended).NotTo(BeClosed())
}

// restartAPIServer lets something happen while there is no API server.
func (w *world) restartAPIServer(meanwhile func()) {
	w.t.Helper()
	restarted := make(chan error, 1)
	go func() { restarted <- cluster.RestartAPIServer() }()
	address, err := url.Parse(cluster.Config.Host)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Eventually(func() error {
		conn, err := net.Dial("tcp", address.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}, 30*time.Second, time.Millisecond).ShouldNot(Succeed())
	meanwhile()
	w.g.Expect(<-restarted).To(Succeed())
}
