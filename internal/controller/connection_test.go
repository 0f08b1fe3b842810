package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const statusWrites = "patch *v1alpha1.MFAConnection/status"

func TestAccountCounts(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.ResyncInterval.Duration = 5 * time.Second })
	w.g.Expect(*w.getConnection().Status.Accounts).To(Equal(v1alpha1.AccountCounts{
		Total: 1, ByState: map[v1alpha1.AccountState]int32{v1alpha1.StateActivated: 1}}))

	// Every interval an account more; the counts are written once a minute.
	w.writes = map[string]int{}
	for n := range 60 {
		w.sim.Seed(mfasim.Account{Login: fmt.Sprintf("u%d@example.com", n)})
		w.drive(5 * time.Second)
	}
	w.g.Expect(w.writes[statusWrites]).To(BeNumerically("~", 5, 1))
	w.drive(2 * time.Minute)
	w.g.Expect(w.getConnection().Status.Accounts.Total).To(Equal(int32(61)), "the last change is written though nothing follows it")

	w.writes = map[string]int{}
	w.drive(time.Hour)
	w.g.Expect(w.writes).To(BeEmpty(), "no change, no write")
}

func TestManagedAccountsAreCounted(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.Seed(mfasim.Account{Login: "stranger@example.com", Status: "FROZEN"})
	w.apply(w.user("alice"))
	w.tick(10 * time.Minute)
	w.g.Expect(*w.getConnection().Status.Accounts).To(Equal(v1alpha1.AccountCounts{Total: 3, Managed: 1,
		ByState: map[v1alpha1.AccountState]int32{v1alpha1.StateActivated: 1, v1alpha1.StatePendingActivation: 1, v1alpha1.StateUnknown: 1}}))
}

func TestListingStale(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	stale := func() string {
		return condition(w.getConnection().Status.Conditions, v1alpha1.ConditionListingStale).Reason
	}
	cases := map[string]struct{ fail, heal func() }{
		"the service is down": {
			func() { w.sim.SetFault(mfasim.Fault{Operation: "ListAccounts", Kind: mfasim.FaultStatus, Status: 500}) },
			w.sim.ClearFaults,
		},
		"no token": { // nothing is called, so nothing but the clock tells
			func() { w.deleteObject(w.tokenSecret("")) },
			func() { w.create(w.tokenSecret(w.sim.Token())) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			tc.fail()
			fresh := w.clock.Now()
			w.drive(40 * time.Minute)
			g.Expect(stale()).To(Equal(v1alpha1.ReasonListingTooOld))
			since := condition(w.getConnection().Status.Conditions, v1alpha1.ConditionListingStale).LastTransitionTime
			g.Expect(since.Time).To(BeTemporally("~", fresh.Add(30*time.Minute), 7*time.Minute), "soon after three intervals")
			w.drive(time.Hour)
			g.Expect(condition(w.getConnection().Status.Conditions, v1alpha1.ConditionListingStale).LastTransitionTime).To(Equal(since))
			tc.heal()
			w.drive(6 * time.Minute)
			g.Expect(stale()).To(BeEmpty())
		})
	}
}

func TestConnectionReconcileRequest(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.ResetCalls()
	w.drive(time.Minute)
	w.g.Expect(w.calls()).To(BeZero(), "the picture is fresh")

	request := func(token string) {
		w.editConnection(func(c *v1alpha1.MFAConnection) {
			c.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: token}
		})
		w.drive(time.Minute)
	}
	request("one")
	w.g.Expect(w.getConnection().Status.HandledReconcileRequest).To(Equal("one"))
	w.g.Expect(w.calls()).To(Equal(1))
	request("one")
	w.g.Expect(w.calls()).To(Equal(1), "handled once")
	request("two")
	w.g.Expect(w.calls()).To(Equal(2))
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Annotations = nil })
	w.g.Expect(w.calls()).To(Equal(2), "taking it off asks for nothing")
	w.g.Expect(w.getConnection().Status.HandledReconcileRequest).To(Equal("two"))
}

// Trouble of the connection shows on those alone whom it keeps from work.
func TestUsersOfAConnectionThatIsNotReady(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	settled := w.apply(w.user("settled"))
	w.create(w.user("edited"), w.user("doomed"))
	w.settle("edited")
	w.settle("doomed")
	w.sim.RevokeToken(w.sim.Token())
	w.tick(10 * time.Minute)
	w.edit("edited", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Ed") })
	w.deleteObject(w.get("doomed"))
	w.create(w.user("new"))
	w.sim.ResetCalls()
	w.writes = map[string]int{}

	w.drive(time.Minute, "settled", "edited", "doomed", "new")

	w.g.Expect(w.get("settled")).To(Equal(settled), "not written at all")
	for _, name := range []string{"edited", "doomed", "new"} {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"), name)
	}
	w.g.Expect(w.calls()).To(BeZero())
	w.g.Expect(w.writes).To(Equal(map[string]int{"patch *v1alpha1.MFAUser/status": 3}))

	woken := w.listenTo(w.users.users)
	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, 0))
	w.g.Expect(woken.woken).To(And(HaveKey("edited"), HaveKey("doomed"), HaveKey("new")))
	w.drive(time.Minute, "settled", "edited", "doomed", "new")
	w.g.Expect(ready(w.get("edited").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(ready(w.get("new").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.get("doomed").Name).To(BeEmpty())
	w.g.Expect(w.get("settled")).To(Equal(settled))
}

// After a restart nobody knows whether a connection works; users wait without a word, and the first verdict wakes them.
func TestFirstVerdictWakesEverybody(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	settled := w.apply(w.user("settled"))
	w.startOperator()
	w.create(w.user("new"))
	_, err := w.pass("new")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.get("new").Status.Conditions).To(BeEmpty())

	woken := w.listenTo(w.users.users)
	w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: 500})
	w.reconcileConnection()
	w.g.Expect(woken.woken).To(And(HaveKey("new"), HaveKey("settled")), "also a bad one")
	w.drive(time.Second, "new", "settled")
	w.g.Expect(ready(w.get("new").Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"))
	w.g.Expect(w.get("settled")).To(Equal(settled))
}

// The verdict is told also when the status that goes with it could not be written at first.
func TestUsersAreWokenWhenTheStatusMeetsAConflict(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(w.user("alice"))
	w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: 500})
	w.tick(10 * time.Minute)
	w.sim.ClearFaults()
	w.clock.Step(10 * time.Minute)
	woken := w.listenTo(w.users.users)

	w.sim.OnCall(func(_ string, phase mfasim.Phase) {
		if phase == mfasim.Before { // somebody writes the object while the listing is under way
			touch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"touched":"yes"}}}`))
			_ = w.client.Patch(w.ctx, w.getConnection(), touch)
		}
	})
	request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}}
	result, err := w.connections.Reconcile(w.ctx, request)
	w.g.Expect(err).NotTo(HaveOccurred(), "a lost lock is no fault")
	w.g.Expect(result.RequeueAfter).To(Equal(minWait))
	w.sim.OnCall(nil)
	w.reconcileConnection()

	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
	w.g.Expect(woken.woken).To(HaveKey("alice"))
}

// A change that comes too soon after the last write of counts is written a minute after that, though no listing is due.
func TestAccountCountsAreMadeUpFor(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.clock.Step(10 * time.Second)
	w.sim.Seed(mfasim.Account{Login: "late@example.com"})
	conn := w.getConnection()
	conn.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
	w.g.Expect(w.client.Update(w.ctx, conn)).To(Succeed())

	w.g.Expect(w.reconcileConnection()).To(Equal(50 * time.Second))
	w.g.Expect(w.getConnection().Status.Accounts.Total).To(Equal(int32(1)))
	w.clock.Step(50 * time.Second)
	w.reconcileConnection()
	w.g.Expect(w.getConnection().Status.Accounts.Total).To(Equal(int32(2)))
}
