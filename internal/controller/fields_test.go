package controller

import (
	"io"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestFields: absent is unmanaged, empty clears, set is kept; and only what differs is in the PATCH.
func TestFields(t *testing.T) {
	type spec = *v1alpha1.MFAUserSpec
	elsewhere := func(a *mfasim.Account) {
		a.FirstName, a.LastName, a.Email, a.Phone, a.Language = "Else", "Where", "else@where.org", "+1", "fr"
	}
	cases := map[string]struct {
		state func(spec)
		want  map[string]any
	}{
		"nothing stated":    {func(spec) {}, nil},
		"firstName set":     {func(s spec) { s.FirstName = new("Alice") }, map[string]any{"firstName": "Alice"}},
		"firstName empty":   {func(s spec) { s.FirstName = new("") }, map[string]any{"firstName": ""}},
		"lastName set":      {func(s spec) { s.LastName = new("Martin") }, map[string]any{"lastName": "Martin"}},
		"lastName empty":    {func(s spec) { s.LastName = new("") }, map[string]any{"lastName": ""}},
		"email set":         {func(s spec) { s.Email = new("alice@example.com") }, map[string]any{"email": "alice@example.com"}},
		"email empty":       {func(s spec) { s.Email = new("") }, map[string]any{"email": ""}},
		"email, other case": {func(s spec) { s.Email = new("Else@Where.org") }, nil},
		"phone set":         {func(s spec) { s.Phone = new("+33 6 12") }, map[string]any{"phone": "+33 6 12"}},
		"phone empty":       {func(s spec) { s.Phone = new("") }, map[string]any{"phone": ""}},
		"phone, grouped":    {func(s spec) { s.Phone = new("+1 ") }, nil},
		"language":          {func(s spec) { s.Language = new("en") }, map[string]any{"language": "en"}},
		"several": {func(s spec) { s.FirstName, s.LastName, s.Language = new("Alice"), new("Where"), new("en") },
			map[string]any{"firstName": "Alice", "language": "en"}},
		"role, as it is":   {func(s spec) { s.Role = new(v1alpha1.RoleUser) }, nil},
		"role":             {func(s spec) { s.Role = new(v1alpha1.RoleManager) }, map[string]any{"role": "MANAGER"}},
		"access, as it is": {func(s spec) { s.Access = new(v1alpha1.AccessAllowed) }, nil},
		"access":           {func(s spec) { s.Access = new(v1alpha1.AccessBlocked) }, map[string]any{"blocked": true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Roles = allRoles })
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { tc.state(&u.Spec) }))
			// Somebody edits every field elsewhere; what the manifest states comes back.
			w.console("alice@example.com", func(a *mfasim.Account) { elsewhere(a); a.Role, a.Blocked = "USER", false })
			sent := w.patches()

			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(is(v1alpha1.ConditionAccountSynced)(user)).To(Equal("True InSync"))
			if tc.want == nil {
				w.g.Expect(sent()).To(BeEmpty())
				return
			}
			w.g.Expect(sent()).To(Equal([]map[string]any{tc.want}))

			// A field that the manifest drops keeps its value.
			after := w.remote("alice@example.com")
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec = w.user("alice").Spec })
			w.settle("alice")
			w.g.Expect(w.remote("alice@example.com")).To(Equal(after))
			w.g.Expect(sent()).To(HaveLen(1))
		})
	}
}

// TestFreshLook: access and power are taken away only after a look at the account as it is now.
func TestFreshLook(t *testing.T) {
	cases := map[string]struct {
		edit func(*v1alpha1.MFAUserSpec)
		gets int
	}{
		"a block":     {func(s *v1alpha1.MFAUserSpec) { s.Access = new(v1alpha1.AccessBlocked) }, 1},
		"a demotion":  {func(s *v1alpha1.MFAUserSpec) { s.Role = new(v1alpha1.RoleUser) }, 1},
		"a promotion": {func(s *v1alpha1.MFAUserSpec) { s.Role = new(v1alpha1.RoleAdministrator) }, 0},
		"a name":      {func(s *v1alpha1.MFAUserSpec) { s.FirstName = new("Alice") }, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Roles = allRoles })
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleManager) }))
			w.sim.ResetCalls()
			w.edit("alice", func(u *v1alpha1.MFAUser) { tc.edit(&u.Spec) })
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(w.sim.Calls()["GetAccount"]).To(Equal(tc.gets))
			w.g.Expect(w.sim.Calls()["UpdateAccount"]).To(Equal(1))
		})
	}
}

// TestObserve: nothing is written; the differing fields are named, never their values.
func TestObserve(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
	w.sim.AddGroup("staff")
	observe := func(u *v1alpha1.MFAUser) {
		u.Spec.ManagementPolicy, u.Spec.FirstName, u.Spec.Access = v1alpha1.ManagementObserve, new("Alice"), new(v1alpha1.AccessBlocked)
		u.Spec.Groups = group("staff", v1alpha1.RoleUser)
	}
	missing := w.apply(w.user("alice", observe))
	w.g.Expect(ready(missing.Status.Conditions)).To(Equal("False AccountMissing Reconciling"))

	w.sim.Seed(mfasim.Account{Login: "alice@example.com", FirstName: "Bob", Status: mfasim.StatusActivated})
	w.tick(11 * time.Minute)
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True ChangesPending"))
	w.g.Expect(is(v1alpha1.ConditionAccountSynced)(user)).To(Equal("False OutOfSync"))
	w.g.Expect(user.Status.PendingChanges).To(ConsistOf("firstName", "access", "groups"))
	w.g.Expect(user.Finalizers).To(BeEmpty())
	w.g.Expect(w.remoteWrites()).To(BeZero())

	w.clock.Step(time.Minute)
	w.writes = map[string]int{}
	w.settle("alice")
	w.g.Expect(w.writes).To(BeEmpty(), "another pass over the same has nothing to say")

	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementFull })
	user = w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.PendingChanges).To(BeEmpty())
	w.g.Expect(user.Finalizers).NotTo(BeEmpty(), "from now on its removal is ours to do")
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
	w.g.Expect(w.sim.Memberships("alice@example.com")).To(HaveLen(1))
}

// TestObserveGroups: groups alone that differ make no write in every pass.
func TestObserveGroups(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.AddGroup("staff")
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Groups = group("staff", v1alpha1.RoleUser) }))
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.ManagementPolicy, u.Spec.Groups = v1alpha1.ManagementObserve, []v1alpha1.GroupMembership{}
	})
	w.g.Expect(w.settle("alice").Status.PendingChanges).To(Equal([]string{"groups"}))
	w.clock.Step(time.Minute)
	w.writes = map[string]int{}
	w.settle("alice")
	w.g.Expect(w.writes).To(BeEmpty())
	w.g.Expect(w.sim.Memberships("alice@example.com")).To(HaveLen(1))
}

// TestGroups: exactly the stated ones, with the stated roles; and read only when there is reason to.
func TestGroups(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Roles = allRoles })
	for _, name := range []string{"staff", "staff-old", "vpn"} {
		w.sim.AddGroup(name)
	}
	state := func(groups []v1alpha1.GroupMembership) map[string]string {
		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Groups = groups })
		w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
		in := map[string]string{}
		for _, m := range w.sim.Memberships("alice@example.com") {
			in[m.Group] = m.Role
		}
		return in
	}
	w.apply(w.user("alice"))
	w.g.Expect(w.sim.SetMembership("alice@example.com", "vpn", "USER")).To(Succeed())
	w.g.Expect(state(nil)).To(Equal(map[string]string{"vpn": "USER"}), "absent is unmanaged")
	w.g.Expect(state(group("staff", "User"))).To(Equal(map[string]string{"staff": "USER"}), "one in, one out")
	w.g.Expect(state(group("staff", "Manager"))).To(Equal(map[string]string{"staff": "MANAGER"}))
	w.g.Expect(state(group("staff-old", "User"))).To(Equal(map[string]string{"staff-old": "USER"}))

	// Edited elsewhere: nobody sees that in a listing; the daily sweep does, and a restart alone reads nothing.
	w.g.Expect(w.sim.SetMembership("alice@example.com", "vpn", "USER")).To(Succeed())
	w.startOperator()
	w.tick(11 * time.Minute)
	w.sim.ResetCalls()
	w.settle("alice")
	w.g.Expect(w.sim.Calls()).To(BeEmpty())
	w.tick(25 * time.Hour)
	w.settle("alice")
	w.g.Expect(w.sim.Memberships("alice@example.com")).To(HaveLen(1))

	w.g.Expect(state([]v1alpha1.GroupMembership{})).To(BeEmpty(), "[] is member of none")
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Groups = group("staff-none", "User") })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False GroupNotFound Stalled"))
}

// TestSuspend: nothing is done, and the status stays.
func TestSuspend(t *testing.T) {
	suspend := func(u *v1alpha1.MFAUser) { u.Spec.Suspend, u.Spec.FirstName = true, new("Alice") }
	w := newTestWorld(t, mfasim.Options{})
	w.g.Expect(ready(w.apply(w.user("bob", suspend)).Status.Conditions)).To(Equal("False Suspended"), "never created")
	w.apply(w.user("alice"))
	w.edit("alice", suspend)
	w.sim.ResetCalls()
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Suspended"))
	w.g.Expect(w.sim.Calls()).To(BeEmpty())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = false })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").FirstName).To(Equal("Alice"))
}

// TestNotConverging: a field that the service does not keep stops the user, not the service.
func TestNotConverging(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		if r.Method == http.MethodPatch {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0 // it answers, and does nothing
		}
		sim.ServeHTTP(out, r)
	})
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") })
	w.sim.ResetCalls()
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False NotConverging Stalled"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(And(ContainSubstring("firstName"), Not(ContainSubstring("Alice"))))
	result, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(result.RequeueAfter).To(Or(BeZero(), BeNumerically(">=", time.Minute)), "no hot loop")
	w.g.Expect(w.sim.Calls()["GetAccount"]).To(BeNumerically("<=", 3), "three writes at most")
}

// TestConflictOnUpdate: a 409 on anything but a creation says nothing about the login.
func TestConflictOnUpdate(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Status: http.StatusConflict})
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Email = new("alice@example.com") })
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	user := w.get("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False Progressing Reconciling"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(And(ContainSubstring("conflicts"), Not(ContainSubstring("login"))))

	w.sim.ClearFaults()
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
}
