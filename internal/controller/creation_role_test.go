package controller

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// powerful are manifests of accounts that do not stay as they are made: as Users who are not blocked.
var powerful = map[string]struct {
	state   func(*v1alpha1.MFAUser)
	role    string
	blocked bool
}{
	"a manager":         {func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleManager) }, mfasim.RoleManager, false},
	"an administrator":  {func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleAdministrator) }, mfasim.RoleAdministrator, false},
	"blocked":           {func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) }, mfasim.RoleUser, true},
	"a blocked manager": {blockedManager, mfasim.RoleManager, true},
}

func blockedManager(u *v1alpha1.MFAUser) {
	u.Spec.Role, u.Spec.Access = new(v1alpha1.RoleManager), new(v1alpha1.AccessBlocked)
}

func allowAllRoles(c *v1alpha1.MFAConnection) { c.Spec.Policy.Roles = allRoles }

// TestCreationWithPower: the account is made without power, and gets it in the same pass. Its block takes nothing away.
func TestCreationWithPower(t *testing.T) {
	for name, tc := range powerful {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, allowAllRoles)
			var made mfasim.Account
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "CreateAccount" && phase == mfasim.After {
					made, _ = w.sim.Account("alice@example.com")
				}
			})
			w.sim.ResetCalls()
			w.create(w.user("alice", tc.state))
			_, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())

			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"), "in one pass")
			w.g.Expect(made.Role).To(Equal(mfasim.RoleUser))
			w.g.Expect(made.Blocked).To(BeFalse())
			w.g.Expect(w.remote("alice@example.com").Role).To(Equal(tc.role))
			w.g.Expect(w.remote("alice@example.com").Blocked).To(Equal(tc.blocked))
			w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"CreateAccount": 1, "UpdateAccount": 1}), "no fresh look at what was just made")
			w.g.Expect(w.removals()).To(BeEmpty(), "what nobody could use is not taken away")
			w.oneLiveCode("alice")
			w.g.Expect(string(w.secret("alice").Data[v1alpha1.KeyState])).To(Equal(string(w.get("alice").Status.State)))
		})
	}
}

// TestUnclearCreationWithPower: a lost answer is no reason to lose the account.
func TestUnclearCreationWithPower(t *testing.T) {
	for name, tc := range powerful {
		for what, set := range unclear {
			t.Run(name+"/"+what, func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{}, allowAllRoles)
				set(w, "CreateAccount")
				user := w.apply(w.user("alice", tc.state))
				w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
				w.g.Expect(w.remote("alice@example.com").Role).To(Equal(tc.role))
				w.g.Expect(w.remote("alice@example.com").Blocked).To(Equal(tc.blocked))
				w.oneLiveCode("alice")
			})
		}
	}
}

// TestKilledWhileMaking: whatever write is the manager's last, the next one makes the account what the manifest states.
func TestKilledWhileMaking(t *testing.T) {
	onlyManagers := func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Roles = []v1alpha1.Role{v1alpha1.RoleManager} }
	for name, policy := range map[string]func(*v1alpha1.MFAConnection){"all roles": allowAllRoles, "managers only": onlyManagers} {
		t.Run(name, func(t *testing.T) {
			for writes, died := 1, true; died; writes++ {
				w := newTestWorld(t, mfasim.Options{}, policy)
				w.create(w.user("alice", blockedManager))
				died = w.killAfter(writes, "alice")

				user := w.settle("alice")

				w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"), "killed after %d writes", writes)
				w.g.Expect(w.remote("alice@example.com").Role).To(Equal(mfasim.RoleManager))
				w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
				w.oneLiveCode("alice")
				w.g.Expect(writes).To(BeNumerically("<", 15), "the pass ends")
			}
		})
	}
}

// TestRoleNotSettled: where the policy does not list User, a manifest without a role makes no account that it could not
// touch afterwards; one that holds an account is judged by what that has.
func TestRoleNotSettled(t *testing.T) {
	managers := []v1alpha1.Role{v1alpha1.RoleManager}
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.Roles, c.Spec.Policy.Adoption = managers, v1alpha1.ConnectionAdoptionAlways
	})
	user := w.apply(w.user("alice"))
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False NotAllowed Stalled"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(ContainSubstring("policy.roles"))
	w.g.Expect(user.Finalizers).To(BeEmpty())
	w.g.Expect(w.remoteWrites()).To(BeZero())

	w.clock.Step(1)
	w.g.Expect(ready(w.apply(w.user("younger", loginOf("alice@example.com"), blockedManager)).Status.Conditions)).
		To(Equal("True Reconciled"), "who can't make the account keeps nobody from it")
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal(duplicate))

	w.sim.Seed(mfasim.Account{Login: "bob@example.com", Role: mfasim.RoleManager, Status: mfasim.StatusActivated})
	w.tick(interval(w.connection()) + 1)
	w.g.Expect(ready(w.apply(w.user("bob")).Status.Conditions)).To(Equal("True Reconciled"), "a manager may be adopted without a word on its role")
}
