package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// gathers has removals wait for others, as they do in the manager.
func (w *testWorld) gathers() {
	w.gatherFor = gatherFor
	w.startOperator()
	w.reconcileConnection()
	for _, name := range five {
		w.settle(name)
	}
	w.sim.ResetCalls()
	w.writes = map[string]int{}
}

// TestRemovalsGather: manifests that change one after the other, as a namespace's do that is deleted, are counted together
// before the first account loses anything.
func TestRemovalsGather(t *testing.T) {
	cases := map[string]func(w *testWorld, name string){
		"deletions": func(w *testWorld, name string) { w.remove(name) },
		"blocks": func(w *testWorld, name string) {
			w.edit(name, func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
		},
		"Restore codes": func(w *testWorld, name string) {
			w.edit(name, func(u *v1alpha1.MFAUser) {
				u.Spec.Code.Purpose, u.Spec.Code.Generation = v1alpha1.PurposeRestore, new(int64(2))
			})
		},
	}
	for name, ask := range cases {
		t.Run(name, func(t *testing.T) {
			w := guarded(t, five...)
			for _, name := range five {
				w.g.Expect(w.sim.UpdateAccount(name+"@example.com", func(a *mfasim.Account) { a.Status = mfasim.StatusActivated })).To(Succeed())
			}
			w.tick(11 * time.Minute)
			w.gathers()
			for _, name := range five {
				ask(w, name)
				result, err := w.pass(name)
				w.g.Expect(err).NotTo(HaveOccurred())
				w.g.Expect(result.RequeueAfter).To(Equal(gatherFor))
				w.clock.Step(gatherFor / 6)
			}
			w.g.Expect(w.sim.Calls()).To(BeEmpty())
			w.g.Expect(w.writes).To(BeEmpty())
			w.drive(time.Minute, five...)
			w.g.Expect(w.removals()).To(BeEmpty(), "not even the first")
			for _, name := range five {
				w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal(held))
			}
		})
	}
}

// TestOneRemovalGathersOnce: a removal by itself goes after the wait, at the cost of no further call; one that is asked for
// anew waits anew.
func TestOneRemovalGathersOnce(t *testing.T) {
	w := guarded(t, five...)
	w.gathers()
	for range 2 {
		for _, access := range []v1alpha1.Access{v1alpha1.AccessBlocked, v1alpha1.AccessAllowed} {
			w.edit("u1", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(access) })
			result, err := w.pass("u1")
			w.g.Expect(err).NotTo(HaveOccurred())
			if access == v1alpha1.AccessBlocked {
				w.g.Expect(result.RequeueAfter).To(Equal(gatherFor))
				w.clock.Step(gatherFor)
				_, err = w.pass("u1")
				w.g.Expect(err).NotTo(HaveOccurred())
			}
			w.g.Expect(w.remote("u1@example.com").Blocked).To(Equal(access == v1alpha1.AccessBlocked))
		}
	}
	w.sim.ResetCalls()
	w.remove("u1")
	w.drive(time.Minute, "u1")
	w.g.Expect(w.get("u1").Name).To(BeEmpty())
	w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"GetAccount": 1, "UpdateAccount": 1}))
}
