package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestNoHotLoopOverUse: while something keeps a pass from looking for the use of a code, it does not come back at once for
// a look that is overdue.
func TestNoHotLoopOverUse(t *testing.T) {
	cases := map[string]func(w *testWorld){
		"namespace not allowed": func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) {
				c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSame}
			})
		},
		"token refused": func(w *testWorld) { w.setToken("wrong") },
	}
	for name, stop := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusActivated)
			w.ask("AddDevice/1")
			stop(w)
			w.g.Expect(w.drive(time.Hour, "alice")).To(BeNumerically("<", 100), "passes in an hour")
		})
	}
}

// TestNoHotLoopOverSettings: a connection whose settings make no client waits for others, also when its listing is due.
func TestNoHotLoopOverSettings(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.editConnection(func(c *v1alpha1.MFAConnection) {
		c.Spec.CABundle = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"
	})
	w.g.Expect(ready(w.getConnection().Status.Conditions)).To(Equal("False InvalidSpec Stalled"))
	w.g.Expect(w.drive(time.Hour)).To(BeNumerically("<", 10), "passes in an hour")
}

// TestDevicesOutOfReach: devices are only shown. A token that may not read them, or a service without that call, keeps
// nobody's account from being managed.
func TestDevicesOutOfReach(t *testing.T) {
	for name, fault := range map[string]mfasim.Fault{
		"denied":             {Kind: mfasim.FaultStatus, Status: 403},
		"no such call":       {Kind: mfasim.FaultStatus, Status: 404},
		"answered otherwise": {Kind: mfasim.FaultNOKBody, Body: `{"content":[{"id":1,"state":"ACTIVE"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending)
			fault.Operation = "ListDevices"
			w.sim.SetFault(fault)
			w.console(aliceLogin, func(a *mfasim.Account) { a.Status = mfasim.StatusActivated })
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(is(v1alpha1.ConditionEnrolled)(user)).To(Equal("True Enrolled"))
			w.sim.ResetCalls()
			w.drive(time.Hour, "alice")
			w.g.Expect(w.sim.Calls()["ListDevices"]).To(BeNumerically("<=", 1))

			user = w.ask("AddDevice/1")
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive), "nobody goes without a code because of it")
			w.g.Expect(user.Status.Code.Purpose).To(Equal(v1alpha1.PurposeAddDevice))
		})
	}
}

// TestMembershipRefused: a role in a group that the service calls wrong stays so until the manifest changes.
func TestMembershipRefused(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.AddGroup("staff")
	w.sim.SetFault(mfasim.Fault{Operation: "PutMembership", Kind: mfasim.FaultStatus, Status: 422})
	w.create(w.user("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}}
	}))
	w.drive(time.Hour, "alice")
	refused := readyOf(w.get("alice").Status.Conditions)
	w.g.Expect(refused.Reason).To(Equal(v1alpha1.ReasonRequestRefused))
	w.g.Expect(refused.Message).To(ContainSubstring("correct the manifest"))
	w.g.Expect(w.sim.Calls()["PutMembership"]).To(Equal(1))
}
