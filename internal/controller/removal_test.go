package controller

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRemovalPolicies: what becomes of the account of a deleted manifest.
func TestRemovalPolicies(t *testing.T) {
	const untouched, blocked, deleted = "untouched", "blocked", "deleted"
	retain := func(w *testWorld) {
		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	}
	cases := map[string]struct {
		before func(w *testWorld)
		want   string
		record []string
	}{
		"by default it is blocked": {func(*testWorld) {}, blocked, []string{"Block alice@example.com released"}},
		"Delete": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
		}, deleted, []string{"Delete alice@example.com released"}},
		"Retain": {retain, untouched, nil},
		"Observe": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve })
		}, untouched, nil},
		"suspended": {func(w *testWorld) { w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true }) }, untouched, nil},
		"orphaned": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
		}, untouched, nil},
		"orphan: false": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "false"} })
		}, blocked, []string{"Block alice@example.com released"}},
		"orphaned by the connection": {func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
		}, untouched, nil},
		"Retain without a service": {func(w *testWorld) {
			retain(w)
			w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
			w.clock.Step(11 * time.Minute)
			w.reconcileConnection()
		}, untouched, nil},
		"blocked by an administrator already": {func(w *testWorld) {
			w.console("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })
		}, blocked, []string{"Keep alice@example.com released"}},
		"gone already": {func(w *testWorld) { w.sim.DeleteAccount("alice@example.com") }, deleted, nil},
		"gone already, Delete": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
			w.sim.DeleteAccount("alice@example.com")
		}, deleted, nil},
		"no longer allowed by the policy": {func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
		}, blocked, []string{"Block alice@example.com released"}},
		"from a namespace no longer allowed": {func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) {
				c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSame}
			})
		}, blocked, []string{"Block alice@example.com released"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			tc.before(w)
			before := w.sim.Accounts()
			w.sim.ResetCalls()

			w.deleteUser("alice")

			w.g.Expect(w.get("alice").Name).To(BeEmpty(), "every finalizer has an end")
			w.g.Expect(w.removals()).To(Equal(tc.record))
			account, exists := w.sim.Account("alice@example.com")
			switch tc.want {
			case untouched:
				w.g.Expect(w.sim.Calls()).To(BeEmpty(), "let go without a call")
				w.g.Expect(w.sim.Accounts()).To(Equal(before))
			case blocked:
				w.g.Expect(account.Blocked).To(BeTrue())
			case deleted:
				w.g.Expect(exists).To(BeFalse())
			}
		})
	}
}

// TestRemovalIsRecordedFirst: what takes access away stands in the connection's status before the call is made.
func TestRemovalIsRecordedFirst(t *testing.T) {
	cases := map[string]struct {
		op   string
		take func(w *testWorld)
		want string
	}{
		"block on deletion": {"UpdateAccount", func(w *testWorld) { w.deleteUser("alice") }, "Block alice@example.com released"},
		"delete on deletion": {"DeleteAccount", func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
			w.deleteUser("alice")
		}, "Delete alice@example.com released"},
		"block by the manifest": {"UpdateAccount", func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
			w.settle("alice")
		}, "Block alice@example.com"},
		"made again": {"CreateAccount", func(w *testWorld) {
			w.sim.DeleteAccount("alice@example.com")
			w.tick(11 * time.Minute)
			w.settle("alice")
			w.clock.Step(61 * time.Second)
			w.settle("alice")
		}, "Recreate alice@example.com"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			var seen atomic.Pointer[[]string]
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == tc.op && phase == mfasim.Before {
					seen.Store(new(w.removals()))
				}
			})
			tc.take(w)
			w.g.Expect(seen.Load()).To(HaveValue(Equal([]string{tc.want})), "at the time of the call")
			w.g.Expect(w.removals()).To(Equal([]string{tc.want}))
		})
	}
}

// TestRemovalRetried: a removal that has to be tried again is one removal, and is done once.
func TestRemovalRetried(t *testing.T) {
	cases := map[string]struct {
		policy v1alpha1.DeletionPolicy
		fault  mfasim.Fault
		want   string
	}{
		"block, not done":         {v1alpha1.DeletionBlock, mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus}, "Block alice@example.com released"},
		"block, answer lost":      {v1alpha1.DeletionBlock, mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultResetAfter}, "Block alice@example.com released"},
		"delete, not done":        {v1alpha1.DeletionDelete, mfasim.Fault{Operation: "DeleteAccount", Kind: mfasim.FaultStatus}, "Delete alice@example.com released"},
		"delete, answer lost":     {v1alpha1.DeletionDelete, mfasim.Fault{Operation: "DeleteAccount", Kind: mfasim.FaultResetAfter}, "Delete alice@example.com released"},
		"slowed down":             {v1alpha1.DeletionBlock, mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "30"}, "Block alice@example.com released"},
		"the account not to read": {v1alpha1.DeletionBlock, mfasim.Fault{Operation: "GetAccount", Kind: mfasim.FaultStatus}, "Block alice@example.com released"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = tc.policy }))
			w.tick(11 * time.Minute)
			tc.fault.Count = 1
			w.sim.SetFault(tc.fault)
			w.g.Expect(w.client.Delete(w.ctx, w.get("alice"))).To(Succeed())
			_, _ = w.pass("alice")
			w.g.Expect(w.get("alice").Finalizers).NotTo(BeEmpty(), "not let go before it is known to be done")
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(HaveSuffix("Reconciling"))

			w.tick(11 * time.Minute)
			w.startOperator() // nor does a restart count twice
			w.reconcileConnection()
			w.settle("alice")

			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.removals()).To(Equal([]string{tc.want}))
		})
	}
}

// TestRemovalWhileCreating: a manifest that goes while its creation is still open takes along what came of it.
func TestRemovalWhileCreating(t *testing.T) {
	cases := map[string]struct {
		fault mfasim.FaultKind
		want  []string
	}{
		"made":     {mfasim.FaultResetAfter, []string{"Block alice@example.com released"}},
		"not made": {mfasim.FaultResetBefore, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: tc.fault, Count: 1})
			w.create(w.user("alice"))
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())

			w.deleteUser("alice")

			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.removals()).To(Equal(tc.want))
			if account, made := w.sim.Account("alice@example.com"); made {
				w.g.Expect(account.Blocked).To(BeTrue())
			}
		})
	}
}

// TestRemovalWithoutConnection: it waits, says the way out, and goes on when it can.
func TestRemovalWithoutConnection(t *testing.T) {
	deleted := func(t *testing.T) *testWorld {
		w := newTestWorld(t, mfasim.Options{})
		w.apply(w.user("alice"))
		return w
	}
	t.Run("missing, orphaned at last", func(t *testing.T) {
		w := deleted(t)
		conn := w.getConnection()
		conn.Finalizers = nil
		w.g.Expect(w.client.Update(w.ctx, conn)).To(Succeed())
		w.g.Expect(w.client.Delete(w.ctx, conn)).To(Succeed())
		w.deleteUser("alice")
		user := w.get("alice")
		w.g.Expect(ready(user.Status.Conditions)).To(Equal("False ConnectionNotFound Reconciling"))
		w.g.Expect(readyOf(user.Status.Conditions).Message).To(ContainSubstring(v1alpha1.AnnotationOrphan))

		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
		w.settle("alice")
		w.g.Expect(w.get("alice").Name).To(BeEmpty())
		w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())
	})
	t.Run("not ready, mended at last", func(t *testing.T) {
		w := deleted(t)
		w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
		w.tick(11 * time.Minute)
		w.deleteUser("alice")
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"))
		w.g.Expect(readyOf(w.get("alice").Status.Conditions).Message).To(ContainSubstring(v1alpha1.AnnotationOrphan))

		w.sim.ClearFaults()
		w.tick(11 * time.Minute)
		w.settle("alice")
		w.g.Expect(w.get("alice").Name).To(BeEmpty())
		w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
	})
}

// TestUnclearOrphan: whoever annotates orphan means to keep the account, also with a word that is not the right one.
func TestUnclearOrphan(t *testing.T) {
	for name, annotate := range map[string]func(w *testWorld, value string){
		"on the MFAUser": func(w *testWorld, value string) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: value} })
		},
		"on the MFAConnection": func(w *testWorld, value string) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Annotations = map[string]string{v1alpha1.AnnotationOrphan: value} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			annotate(w, "True")
			w.deleteUser("alice")
			user := w.get("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("False OrphanUnclear Stalled"))
			w.g.Expect(readyOf(user.Status.Conditions).Message).To(And(ContainSubstring(`write "true"`), ContainSubstring(name[len("on the "):])))
			w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())
			w.g.Expect(w.getConnection().Status.Removals).To(BeEmpty())

			result, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(result.RequeueAfter).To(Equal(time.Minute), "to take the annotation away wakes nobody")
			annotate(w, "")
			w.settle("alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
		})
	}
}
