package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestNothingOfALostAccountStays: while no other can be made, status says nothing of devices and codes that went with it.
func TestNothingOfALostAccountStays(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
	w.tick(11 * time.Minute)
	w.g.Expect(w.settle("alice").Status.Devices).To(HaveLen(1))
	w.sim.DeleteAccount(aliceLogin)
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultNOKBody})
	w.tick(11 * time.Minute)
	w.settle("alice")
	w.clock.Step(61 * time.Second)
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False QuotaExceeded Reconciling"))
	w.g.Expect(is(v1alpha1.ConditionEnrolled)(user)).To(Equal("Unknown StateUnknown"))
	w.g.Expect(is(v1alpha1.ConditionCodeReady)(user)).To(Equal("False NoCode"))
	w.g.Expect(user.Status.Devices).To(BeEmpty())
}

// TestAnotherAccountInTheOldOnesPlace: what was known of the account before it is not taken for its own, nor when the pass that takes
// it up is stopped.
func TestAnotherAccountInTheOldOnesPlace(t *testing.T) {
	for _, failing := range []string{"", "UpdateAccount", "ListAccountGroups"} {
		t.Run("failing: "+failing, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
			w.sim.AddGroup("staff")
			w.inState(mfasim.StatusActivated, func(u *v1alpha1.MFAUser) {
				u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}}
				if failing == "UpdateAccount" {
					u.Spec.FirstName = new("Alice")
				}
			})
			before := w.sim.Memberships(aliceLogin)
			w.g.Expect(before).NotTo(BeEmpty())
			w.sim.DeleteAccount(aliceLogin)
			w.sim.Seed(mfasim.Account{Login: aliceLogin, Status: mfasim.StatusActivated})
			if failing != "" {
				w.sim.SetFault(mfasim.Fault{Operation: failing, Kind: mfasim.FaultStatus, Count: 1})
			}

			w.startOperator()
			w.tick(11 * time.Minute)
			w.settle("alice")
			w.clock.Step(61 * time.Second)
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.Devices).To(HaveExactElements(HaveField("Name", w.sim.Devices(aliceLogin)[0].Name)))
			w.g.Expect(w.sim.Memberships(aliceLogin)).To(Equal(before))
		})
	}
}

// TestBlockOfAnotherAccount: a block that a removal of ours left on the account before is not this one's.
func TestBlockOfAnotherAccount(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
	w.apply(w.user("alice"))
	w.sim.DeleteAccount(aliceLogin)
	w.sim.Seed(mfasim.Account{Login: aliceLogin, Status: mfasim.StatusActivated, Blocked: true})
	w.tick(11 * time.Minute)
	user := w.settle("alice")
	user.Status.BlockedByRemoval = true // as an unblock that was refused leaves it
	w.g.Expect(w.client.Status().Update(w.ctx, user)).To(Succeed())
	w.clock.Step(61 * time.Second)
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote(aliceLogin).Blocked).To(BeTrue())
}
