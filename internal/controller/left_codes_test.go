package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestCodeLimitOfLeavers: whoever may write manifests gets no more codes for an account by deleting its MFAUser and applying
// it again, however it was made to go.
func TestCodeLimitOfLeavers(t *testing.T) {
	ways := map[string]func(w *testWorld){
		"deleted": func(w *testWorld) { w.deleteUser("alice") },
		"made to go by force": func(w *testWorld) {
			user := w.get("alice")
			w.g.Expect(w.client.Delete(w.ctx, user)).To(Succeed())
			w.force(user)
			w.users.onUserDeleted(w.ctx, event.DeleteEvent{Object: user}, nil)
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
			manifest := func() *v1alpha1.MFAUser {
				return w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists })
			}
			leave := func() {
				way(w)
				w.deleteObject(w.secret("alice")) // as the garbage collector does
			}
			w.apply(manifest())
			w.raise()
			w.clock.Step(10 * time.Minute)
			leave()
			w.apply(manifest())
			for range 3 {
				w.raise()
			}
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(codesPerHour))
			leave()
			w.apply(manifest())

			user := w.raise()
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("False CodeLimitReached Reconciling"))
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(codesPerHour))

			w.drive(51*time.Minute, "alice")
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(codesPerHour+1), "the first of them is an hour old")
			w.oneLiveCode("alice")
		})
	}
}
