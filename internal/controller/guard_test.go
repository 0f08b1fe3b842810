package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

const (
	held        = "False RemovalHeld Stalled"
	reconciledT = "True Reconciled"
)

// guarded makes a world with users that hold accounts and a guard that lets two removals go within an hour.
func guarded(t *testing.T, users ...string) *testWorld {
	t.Helper()
	w := newTestWorld(t, mfasim.Options{}, limitOf(2))
	for _, name := range users {
		w.apply(w.user(name))
	}
	return w
}

func limitOf(n int32) func(*v1alpha1.MFAConnection) {
	return func(c *v1alpha1.MFAConnection) {
		c.Spec.ChangeGuard = v1alpha1.ChangeGuard{MaxRemovals: new(n), Window: metav1.Duration{Duration: time.Hour}}
	}
}

// remove deletes manifests at once, as somebody does who empties a folder in Git.
func (w *testWorld) remove(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.g.Expect(w.client.Delete(w.ctx, w.get(name))).To(Succeed())
	}
}

// annotateConnection sets an annotation by hand; the watch reconciles.
func (w *testWorld) annotateConnection(name, value string) {
	w.t.Helper()
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Annotations = map[string]string{name: value} })
}

func (w *testWorld) approve(value string) {
	w.t.Helper()
	w.annotateConnection(v1alpha1.AnnotationApproveRemovals, value)
}

// went counts the users that are gone, and expects that the accounts of just those are blocked.
func (w *testWorld) went(names ...string) (gone int) {
	w.t.Helper()
	for _, name := range names {
		user := w.get(name)
		w.g.Expect(w.remote(name+"@example.com").Blocked).To(Equal(user.Name == ""), name)
		if user.Name == "" {
			gone++
			continue
		}
		w.g.Expect(ready(user.Status.Conditions)).To(Equal(held))
	}
	return gone
}

func (w *testWorld) changesHeld() metav1.Condition {
	w.t.Helper()
	return condition(w.getConnection().Status.Conditions, v1alpha1.ConditionChangesHeld)
}

var five = []string{"u1", "u2", "u3", "u4", "u5"}

// TestMassDeletion: more removals than the guard allows stop before the first, cost nothing while they wait, survive a
// restart, and go in the number that the connection's owner says.
func TestMassDeletion(t *testing.T) {
	w := guarded(t, five...)
	w.remove(five...)
	w.drive(time.Minute, five...)
	w.g.Expect(w.went(five...)).To(BeZero(), "not even the first")
	w.g.Expect(w.removals()).To(BeEmpty())
	w.g.Expect(w.changesHeld().Reason).To(Equal(v1alpha1.ReasonGuardLimitReached))
	w.g.Expect(w.changesHeld().Message).To(HavePrefix("removals held: 5, asked for in the namespaces: " + w.namespace + " (5)."))
	w.g.Expect(readyOf(w.get("u1").Status.Conditions).Message).To(And(ContainSubstring(v1alpha1.AnnotationApproveRemovals), ContainSubstring(v1alpha1.AnnotationOrphan)))
	w.expectDiscreet(w.get("u1"))

	w.sim.ResetCalls()
	w.writes = map[string]int{}
	passes := w.drive(24*time.Hour, five...)
	w.g.Expect(passes).To(BeNumerically("<", 24*6+30), "one pass of the connection per interval")
	calls := w.sim.Calls()
	delete(calls, "ListAccounts")
	w.g.Expect(calls).To(Equal(map[string]int{"GetAccount": 5}), "of the pass with which the drive begins; those that wait cost no call")
	w.g.Expect(w.writes).To(BeEmpty())

	w.startOperator()
	w.drive(time.Hour, five...)
	w.g.Expect(w.went(five...)).To(BeZero())
	w.g.Expect(w.writes).To(BeEmpty(), "a restart writes nothing")

	w.approve("2/a")
	w.drive(time.Hour, five...)
	w.g.Expect(w.went(five...)).To(Equal(2), "just that many")
	w.g.Expect(w.removals()).To(HaveLen(2))
	w.g.Expect(w.changesHeld().Message).To(And(HavePrefix("removals held: 3, "), ContainSubstring("needs a new token")))

	w.editConnection(limitOf(5))
	w.drive(time.Minute, append([]string{}, five...)...)
	w.g.Expect(w.went(five...)).To(Equal(5), "the new limit lets the rest go")
	w.g.Expect(w.changesHeld().Type).To(BeEmpty())
}

// TestMistakenMassDeletion is the way back that docs/operations.md tells of: nobody's account, device or code is touched.
func TestMistakenMassDeletion(t *testing.T) {
	w := guarded(t, five...)
	ids := map[string]string{}
	for _, name := range five {
		ids[name] = w.get(name).Status.AccountID
	}
	w.remove(five...)
	w.drive(time.Minute, five...)
	w.g.Expect(w.went(five...)).To(BeZero())

	accounts := w.sim.Accounts()
	w.sim.ResetCalls()
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
	w.annotateConnection(v1alpha1.AnnotationOrphan, "true")
	w.drive(time.Minute, five...)
	for _, name := range five {
		w.g.Expect(w.get(name).Name).To(BeEmpty(), name)
		user := w.apply(w.user(name))
		w.g.Expect(ready(user.Status.Conditions)).To(Equal(reconciledT), name)
		w.g.Expect(user.Status.AccountID).To(Equal(ids[name]))
	}
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.g.Expect(w.sim.Accounts()).To(Equal(accounts))
	w.g.Expect(w.changesHeld().Type).To(BeEmpty())

	// The annotation that is forgotten lets nobody go who was not deleted.
	w.drive(time.Hour, five...)
	w.g.Expect(ready(w.get("u1").Status.Conditions)).To(Equal(reconciledT))
}

// TestGuardCountsEverything: deletions and edited blocks count together, and an account counts once.
func TestGuardCountsEverything(t *testing.T) {
	block := func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) }
	t.Run("edits and deletions at once", func(t *testing.T) {
		w := guarded(t, five...)
		w.edit("u1", block)
		w.edit("u2", block)
		w.remove("u3")
		w.drive(time.Minute, five...)
		for _, name := range []string{"u1", "u2", "u3"} {
			w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal(held), name)
			w.g.Expect(w.remote(name+"@example.com").Blocked).To(BeFalse(), name)
		}
		w.g.Expect(readyOf(w.get("u1").Status.Conditions).Message).To(HaveSuffix("or undo the change"))

		w.edit("u2", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessAllowed) })
		w.drive(time.Minute, five...)
		w.g.Expect(w.removals()).To(ConsistOf("Block u1@example.com", "Block u3@example.com released"), "one fewer is few enough")
		w.g.Expect(ready(w.get("u2").Status.Conditions)).To(Equal(reconciledT))
		w.g.Expect(w.changesHeld().Type).To(BeEmpty())
	})
	t.Run("one account twice", func(t *testing.T) {
		w := guarded(t, five...)
		w.edit("u1", block)
		w.settle("u1")
		w.deleteUser("u2")
		w.edit("u1", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
		w.settle("u1")
		w.deleteUser("u1")
		w.g.Expect(w.get("u1").Name).To(BeEmpty(), "its account is counted already")
		w.remove("u3")
		w.drive(time.Minute, five...)
		w.g.Expect(ready(w.get("u3").Status.Conditions)).To(Equal(held))
	})
	t.Run("what takes nothing away", func(t *testing.T) {
		w := guarded(t, five...)
		w.edit("u1", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		w.edit("u2", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true })
		w.edit("u3", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
		w.console("u4@example.com", func(a *mfasim.Account) { a.Blocked = true })
		w.remove(five...)
		w.drive(time.Minute, five...)
		for _, name := range five {
			w.g.Expect(w.get(name).Name).To(BeEmpty(), name)
		}
		w.g.Expect(w.removals()).To(ConsistOf("Keep u4@example.com released", "Block u5@example.com released"))
	})
	t.Run("a creation that is still open", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{}, limitOf(1))
		w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
		w.create(w.user("u1"))
		_, err := w.pass("u1")
		w.g.Expect(err).To(HaveOccurred())
		w.remove("u1")
		_, err = w.pass("u1")
		w.g.Expect(err).NotTo(HaveOccurred())
		w.g.Expect(w.get("u1").Name).To(BeEmpty(), "it is one account, and not two")
		w.g.Expect(w.removals()).To(Equal([]string{"Block u1@example.com released"}))
	})
	t.Run("recreations", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{}, limitOf(0))
		first := w.apply(w.user("u1"))
		w.sim.DeleteAccount("u1@example.com")
		w.drive(time.Hour, "u1")
		w.g.Expect(ready(w.get("u1").Status.Conditions)).To(Equal(held))
		w.g.Expect(w.get("u1").Status.AccountID).To(Equal(first.Status.AccountID))
		w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(1))

		w.approve("1/a")
		w.drive(time.Minute, "u1")
		w.g.Expect(ready(w.get("u1").Status.Conditions)).To(Equal(reconciledT))
		w.g.Expect(w.removals()).To(Equal([]string{"Recreate u1@example.com"}))
	})
}

// TestGuardWindowPasses: what the count of the last hour holds goes by itself once the hour is over, at the right time.
func TestGuardWindowPasses(t *testing.T) {
	for name, restart := range map[string]bool{"in one life": false, "with a restart": true} {
		t.Run(name, func(t *testing.T) {
			w := guarded(t, five...)
			w.deleteUser("u1")
			w.tick(20 * time.Minute)
			w.deleteUser("u2")
			w.tick(20 * time.Minute)
			w.remove("u3")
			w.drive(10*time.Minute, "u3")
			w.g.Expect(ready(w.get("u3").Status.Conditions)).To(Equal(held))
			if restart {
				w.startOperator()
			}
			w.drive(9*time.Minute, "u3")
			w.g.Expect(ready(w.get("u3").Status.Conditions)).To(Equal(held), "u1 went 59 minutes ago")
			passes := w.drive(2*time.Minute, "u3")
			w.g.Expect(w.get("u3").Name).To(BeEmpty(), "61")
			w.g.Expect(passes).To(BeNumerically("<", 10))
			w.g.Expect(w.removals()).To(HaveLen(3))
		})
	}
}

// TestRemovalRetriedAtTheLimit: a removal that has been recorded and not carried out is no new one.
func TestRemovalRetriedAtTheLimit(t *testing.T) {
	w := guarded(t, five...)
	w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Count: 2})
	w.remove("u1", "u2")
	_, _ = w.pass("u1")
	_, _ = w.pass("u2")
	w.g.Expect(w.removals()).To(HaveLen(2))
	w.remove("u3")
	w.startOperator()
	w.drive(10*time.Minute, "u1", "u2", "u3")
	w.g.Expect(w.went("u1", "u2", "u3")).To(Equal(2))
	w.g.Expect(w.removals()).To(ConsistOf("Block u1@example.com released", "Block u2@example.com released"))
}

// TestRemovalByASlowClock: the manager's clock may be behind the API server's, which dates the objects. Its own block is
// its own all the same, and no second removal.
func TestRemovalByASlowClock(t *testing.T) {
	w := guarded(t, five...)
	w.clock.SetTime(w.clock.Now().Add(-time.Hour))
	w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultResetAfter, Count: 2})
	w.remove("u1", "u2")
	_, _ = w.pass("u1")
	_, _ = w.pass("u2")
	w.startOperator()
	w.drive(10*time.Minute, "u1", "u2")
	w.g.Expect(w.went("u1", "u2")).To(Equal(2))
	w.g.Expect(w.removals()).To(ConsistOf("Block u1@example.com released", "Block u2@example.com released"))
}

// TestHeldThroughAnOutage: that the guard holds a removal stays said while the service can't be reached.
func TestHeldThroughAnOutage(t *testing.T) {
	w := guarded(t, five...)
	w.remove(five...)
	w.drive(time.Minute, five...)
	w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
	w.drive(time.Hour, five...)
	w.g.Expect(w.went(five...)).To(BeZero())
	w.g.Expect(w.changesHeld().Message).To(HavePrefix("removals held: 5"))
	w.startOperator()
	w.drive(time.Hour, five...)
	w.sim.ClearFaults()
	w.drive(time.Hour, five...)
	w.g.Expect(w.went(five...)).To(BeZero())
	w.g.Expect(w.changesHeld().Message).To(HavePrefix("removals held: 5"))
}

// TestRefusedRemovalsDoNotCount: what is refused for another reason does not use up the limit for everybody.
func TestRefusedRemovalsDoNotCount(t *testing.T) {
	w := guarded(t, five...)
	for _, name := range []string{"u1", "u2", "u3"} {
		w.g.Expect(w.sim.UpdateAccount(name+"@example.com", func(a *mfasim.Account) { a.Role = mfasim.RoleManager })).To(Succeed())
	}
	w.remove("u1", "u2", "u3")
	w.drive(time.Minute, "u1", "u2", "u3")
	w.g.Expect(ready(w.get("u1").Status.Conditions)).To(Equal("False PrivilegedAccount Stalled"))
	w.remove("u4")
	w.drive(time.Minute, "u4")
	w.g.Expect(w.get("u4").Name).To(BeEmpty())
}

// TestMissingPathsDoNotCount: a service that lacks the path of a call has lost no accounts, and holds nobody's removal.
func TestMissingPathsDoNotCount(t *testing.T) {
	w := guarded(t, five...)
	w.sim.AddGroup("staff")
	w.sim.SetFault(mfasim.Fault{Operation: "ListAccountGroups", Kind: mfasim.FaultStatus, Status: 404})
	for _, name := range []string{"u1", "u2", "u3"} {
		w.edit(name, func(u *v1alpha1.MFAUser) { u.Spec.Groups = group("staff", v1alpha1.RoleUser) })
	}
	w.drive(time.Minute, "u1", "u2", "u3")
	w.g.Expect(ready(w.get("u1").Status.Conditions)).To(Equal("False Progressing Reconciling"))
	w.remove("u4")
	w.drive(time.Minute, "u4")
	w.g.Expect(w.went("u4")).To(Equal(1))
}

// TestGuardOpens plays with numbers.
func TestGuardOpens(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ago := func(id string, minutes int, action v1alpha1.RemovalAction) v1alpha1.Removal {
		return v1alpha1.Removal{AccountID: id, Action: action, Time: metav1.NewTime(now.Add(-time.Duration(minutes) * time.Minute))}
	}
	const block, keep = v1alpha1.RemovalBlock, v1alpha1.RemovalKeep
	cases := map[string]struct {
		limit    int
		removals []v1alpha1.Removal
		asked    []string
		want     string // in minutes, or never
	}{
		"nothing before":                {2, nil, []string{"a", "b"}, "0"},
		"too many at once":              {2, nil, []string{"a", "b", "c"}, "never"},
		"none allowed":                  {0, nil, []string{"a"}, "never"},
		"up to the limit":               {2, []v1alpha1.Removal{ago("x", 5, block)}, []string{"a"}, "0"},
		"above it":                      {2, []v1alpha1.Removal{ago("x", 50, block), ago("y", 5, block)}, []string{"a"}, "10"},
		"two have to leave":             {2, []v1alpha1.Removal{ago("x", 50, block), ago("y", 20, block)}, []string{"a", "b"}, "40"},
		"exactly a window ago":          {1, []v1alpha1.Removal{ago("x", 60, block)}, []string{"a"}, "0"},
		"kept ones do not count":        {1, []v1alpha1.Removal{ago("x", 5, keep)}, []string{"a"}, "0"},
		"an account counts once":        {2, []v1alpha1.Removal{ago("x", 50, block), ago("x", 5, block)}, []string{"a"}, "0"},
		"and leaves with its last":      {1, []v1alpha1.Removal{ago("x", 50, block), ago("x", 5, block)}, []string{"a"}, "55"},
		"one asked for again":           {1, []v1alpha1.Removal{ago("a", 5, block)}, []string{"a"}, "0"},
		"every action but Keep":         {3, []v1alpha1.Removal{ago("x", 5, v1alpha1.RemovalRestore), ago("y", 6, v1alpha1.RemovalRecreate), ago("z", 7, v1alpha1.RemovalDelete)}, []string{"a"}, "53"},
		"more approved than the limit":  {1, []v1alpha1.Removal{ago("x", 9, block), ago("y", 8, block), ago("z", 7, block)}, []string{"a"}, "53"},
		"nothing asked, a lower limit":  {0, []v1alpha1.Removal{ago("x", 50, block)}, nil, "10"},
		"a limit that many fit beneath": {1000, []v1alpha1.Removal{ago("x", 50, block)}, []string{"a", "b"}, "0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			asked := rules.Accounts{}
			for _, id := range tc.asked {
				asked[id] = struct{}{}
			}
			at, ever := rules.Guard{Limit: tc.limit, Window: time.Hour}.Opens(tc.removals, asked, now)
			got := "never"
			if ever {
				got = fmt.Sprint(int(at.Sub(now).Minutes()))
			}
			NewWithT(t).Expect(got).To(Equal(tc.want))
		})
	}
}

// TestWhoAsked: the message names the namespaces the same way each time, and not without end.
func TestWhoAsked(t *testing.T) {
	g := NewWithT(t)
	g.Expect(perNamespace{"b": 2, "a": 2, "c": 7}.String()).To(Equal("c (7), a (2), b (2)"))
	g.Expect(perNamespace{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 3}.String()).To(Equal("g (3), a (1), b (1), c (1), d (1) and 2 more namespaces"))
}

// TestGuardIsPerConnection: one service's mass deletion does not hold another's single one.
func TestGuardIsPerConnection(t *testing.T) {
	w := guarded(t, five...)
	other := w.connection()
	other.Name = "other"
	w.create(other)
	w.reconcileNamed("other")
	w.apply(w.user("bob", func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "other" }))
	w.remove(append([]string{"bob"}, five...)...)
	w.drive(time.Minute, append([]string{"bob"}, five...)...)
	w.g.Expect(w.get("bob").Name).To(BeEmpty())
	w.g.Expect(w.went(five...)).To(BeZero())
	w.g.Expect(w.users.connections.known(types.NamespacedName{Namespace: w.mfaNamespace, Name: "other"})).NotTo(BeNil())
}

// TestManyLostAccounts: accounts that somebody deleted elsewhere are not made again, without their devices, one after the
// other until the limit is reached: they stop before the first, too.
func TestManyLostAccounts(t *testing.T) {
	w := guarded(t, append([]string{"keeper"}, five...)...)
	for _, name := range five {
		w.sim.DeleteAccount(name + "@example.com")
	}
	w.sim.ResetCalls()
	w.drive(time.Hour, five...)
	for _, name := range five {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal(held), name)
	}
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.approve("1/a")
	w.drive(time.Minute, five...)
	w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(1))
}

// TestAwaitsRemoval: what counts as asked for, as far as the cluster knows.
func TestAwaitsRemoval(t *testing.T) {
	goes := func(u *v1alpha1.MFAUser) { u.DeletionTimestamp = new(metav1.Now()) }
	block := func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) }
	says := func(reason, also string, generation int64) func(*v1alpha1.MFAUser) {
		return func(u *v1alpha1.MFAUser) {
			for _, kind := range []string{v1alpha1.ConditionReady, also} {
				u.Status.Conditions = append(u.Status.Conditions, metav1.Condition{Type: kind, Status: "True", Reason: reason, ObservedGeneration: generation})
			}
		}
	}
	const stalledNow, workingOn = v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling
	type edits []func(*v1alpha1.MFAUser)
	cases := map[string]struct {
		user edits
		want bool
	}{
		"as stated":                {edits{}, false},
		"deleted":                  {edits{goes}, true},
		"deleted, retained":        {edits{goes, func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain }}, false},
		"deleted, orphaned":        {edits{goes, func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} }}, false},
		"deleted, suspended":       {edits{goes, func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true }}, false},
		"deleted, observed":        {edits{goes, func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }}, false},
		"deleted, blocked already": {edits{goes, func(u *v1alpha1.MFAUser) { u.Status.State = v1alpha1.StateBlocked }}, false},
		"deleted for good, blocked before": {edits{goes, func(u *v1alpha1.MFAUser) {
			u.Status.State, u.Spec.DeletionPolicy = v1alpha1.StateBlocked, v1alpha1.DeletionDelete
		}}, true},
		"deleted, never made":          {edits{goes, func(u *v1alpha1.MFAUser) { u.Status.AccountID = "" }}, false},
		"deleted, perhaps made":        {edits{goes, func(u *v1alpha1.MFAUser) { u.Status.AccountID, u.Status.Creating = "", &v1alpha1.CreationIntent{} }}, true},
		"deleted, refused otherwise":   {edits{goes, says(v1alpha1.ReasonPrivilegedAccount, stalledNow, 2)}, false},
		"deleted, refused before that": {edits{goes, says(v1alpha1.ReasonNotAllowed, stalledNow, 1)}, true},
		"deleted, held":                {edits{goes, says(v1alpha1.ReasonRemovalHeld, stalledNow, 2)}, true},
		"to be blocked":                {edits{block}, true},
		"blocked as stated":            {edits{block, func(u *v1alpha1.MFAUser) { u.Status.State = v1alpha1.StateBlocked }}, false},
		"blocked as stated, and expired": {edits{block, func(u *v1alpha1.MFAUser) { u.Status.State = v1alpha1.StateExpired },
			says(v1alpha1.ReasonReconciled, v1alpha1.ConditionAccountSynced, 2)}, false},
		"to be blocked, expired": {edits{block, func(u *v1alpha1.MFAUser) { u.Status.State = v1alpha1.StateExpired },
			says(v1alpha1.ReasonReconciled, v1alpha1.ConditionAccountSynced, 1)}, true},
		"to be blocked, not allowed": {edits{block, says(v1alpha1.ReasonNotAllowed, stalledNow, 2)}, false},
		"to be blocked, suspended":   {edits{block, func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true }}, false},
		"to be made blocked":         {edits{block, func(u *v1alpha1.MFAUser) { u.Status.AccountID, u.Status.State = "", "" }}, false},
		"held, whatever for":         {edits{says(v1alpha1.ReasonRemovalHeld, stalledNow, 2)}, true},
		"missing":                    {edits{says(v1alpha1.ReasonAccountMissing, workingOn, 2)}, true},
		"missing, observed":          {edits{says(v1alpha1.ReasonAccountMissing, workingOn, 2), func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			user := &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Status: v1alpha1.MFAUserStatus{AccountID: "7", State: v1alpha1.StateActivated}}
			for _, edit := range tc.user {
				edit(user)
			}
			NewWithT(t).Expect(rules.AwaitsRemoval(user)).To(Equal(tc.want))
		})
	}
}
