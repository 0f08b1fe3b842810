package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestCodeOfAHeldLeaver: a removal may be held for weeks. The leaver's code leaves its Secret when it dies all the same.
func TestCodeOfAHeldLeaver(t *testing.T) {
	cases := map[string]struct {
		dies func(w *testWorld)
		want v1alpha1.CodePhase
	}{
		"it runs out": {func(w *testWorld) {
			w.rarely()
			w.drive(22*24*time.Hour, five...)
		}, v1alpha1.CodeExpired},
		"it is used": {func(w *testWorld) {
			w.g.Expect(w.sim.UseCode(string(w.secret("u1").Data[v1alpha1.KeyCode]))).To(Succeed())
			w.drive(11*time.Minute, five...)
		}, v1alpha1.CodeUsed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := guarded(t, five...)
			w.remove(five...)
			w.drive(time.Minute, five...)
			w.g.Expect(w.secret("u1").Data).To(HaveKey(v1alpha1.KeyCode))
			tc.dies(w)
			user := w.get("u1")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal(held))
			w.g.Expect(user.Status.Code.Phase).To(Equal(tc.want))
			w.g.Expect(w.secret("u1").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
		})
	}
}

// rarely makes listings rare, for tests of weeks.
func (w *testWorld) rarely() {
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.ResyncInterval.Duration = 24 * time.Hour })
}

// TestLeaverWhoseSecretCantBeWritten: that a dead code can't be taken out keeps nobody from being removed, nor is it tried
// without rest while the removal waits.
func TestLeaverWhoseSecretCantBeWritten(t *testing.T) {
	w := guarded(t, five...)
	w.rarely()
	w.remove(five...)
	w.drive(20*24*time.Hour, five...)
	w.users.client = refusing(w.client)
	w.drive(25*time.Hour, five...)
	w.g.Expect(w.drive(time.Hour, five...)).To(BeNumerically("<=", 5*61), "once a minute each at most")
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(5)) })
	w.drive(time.Hour, five...)
	for _, name := range five {
		w.g.Expect(w.get(name).Name).To(BeEmpty(), name)
		w.g.Expect(w.remote(name+"@example.com").Blocked).To(BeTrue(), name)
	}
}

// TestStayerWhoseSecretCantBeWritten: nor does it keep anybody from being blocked, or from hearing what else is wrong.
func TestStayerWhoseSecretCantBeWritten(t *testing.T) {
	cases := map[string]struct {
		dies func(w *testWorld)
		want v1alpha1.CodePhase
	}{
		"it runs out": {func(w *testWorld) { w.clock.Step(22 * 24 * time.Hour) }, v1alpha1.CodeExpired},
		"it is used": {func(w *testWorld) {
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
		}, v1alpha1.CodeUsed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending)
			tc.dies(w)
			w.tick(11 * time.Minute)
			w.users.client = refusingSecrets(w.client)
			w.edit("alice", block)
			_, err := w.pass("alice")
			w.g.Expect(err).To(MatchError(errRefused), "it is reported")
			w.g.Expect(w.remote(aliceLogin).Blocked).To(BeTrue())
			w.g.Expect(w.secret("alice").Data).To(HaveKey(v1alpha1.KeyCode))

			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
			passes := w.drive(time.Hour, "alice")
			w.g.Expect(passes).To(BeNumerically("<=", 80), "once a minute at most, and the connection")
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))

			w.users.client = w.client
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.com"} })
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessAllowed) }) // a block hides the use
			w.g.Expect(w.settle("alice").Status.Code.Phase).To(Equal(tc.want))
			w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
		})
	}
}

// TestDevicesThatCantBeKnown: a token without the right to read devices, or a person with more than are remembered, is no
// reason to keep the code from him. Its use is not seen, and what was never known is not taken for news.
func TestDevicesThatCantBeKnown(t *testing.T) {
	addDevices := func(w *testWorld, n int) {
		for range n {
			_, err := w.sim.AddDevice(aliceLogin)
			w.g.Expect(err).NotTo(HaveOccurred())
		}
	}
	cases := map[string]struct {
		before, after func(w *testWorld)
		want          v1alpha1.CodePhase
	}{
		"no right to read them": {
			func(w *testWorld) {
				addDevices(w, 1)
				w.sim.SetFault(mfasim.Fault{Operation: "ListDevices", Kind: mfasim.FaultStatus, Status: 403})
			},
			func(w *testWorld) { w.sim.ClearFaults() }, v1alpha1.CodeActive,
		},
		"too many": {
			func(w *testWorld) { addDevices(w, 101) },
			func(w *testWorld) {
				w.g.Expect(w.sim.RemoveDevice(aliceLogin, w.sim.Devices(aliceLogin)[0].ID)).To(Succeed())
			},
			v1alpha1.CodeActive,
		},
		"none before":   {func(*testWorld) {}, func(w *testWorld) { addDevices(w, 1) }, v1alpha1.CodeUsed},
		"just not many": {func(w *testWorld) { addDevices(w, 100) }, func(w *testWorld) { addDevices(w, 1) }, v1alpha1.CodeUsed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusActivated)
			for _, device := range w.sim.Devices(aliceLogin) {
				w.g.Expect(w.sim.RemoveDevice(aliceLogin, device.ID)).To(Succeed())
			}
			tc.before(w)
			w.g.Expect(w.raise(purpose(v1alpha1.PurposeAddDevice)).Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			tc.after(w)
			w.drive(time.Hour, "alice")
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(tc.want))
		})
	}
}
