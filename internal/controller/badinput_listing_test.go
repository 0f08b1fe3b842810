package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestBadListings spoils the listing for an hour, with a dozen accounts held: the connection says so, no account is
// thought gone, nobody is written, and it heals by itself.
func TestBadListings(t *testing.T) {
	cases := map[string]struct {
		fault mfasim.Fault
		want  string
	}{
		"400":           {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 400}, "False MalformedResponse Reconciling, token Unknown"},
		"404":           {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 404}, "False MalformedResponse Reconciling, token Unknown"},
		"409":           {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 409}, "False MalformedResponse Reconciling, token Unknown"},
		"429":           {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 429, RetryAfter: "120"}, "False RateLimited Reconciling, token Unknown"},
		"hang":          {mfasim.Fault{Kind: mfasim.FaultHang}, "False ServiceUnavailable Reconciling, token Unknown"},
		"NOK":           {mfasim.Fault{Kind: mfasim.FaultNOKBody}, "False MalformedResponse Reconciling, token Unknown"},
		"other JSON":    {mfasim.Fault{Kind: mfasim.FaultNOKBody, Body: `[]`}, "False MalformedResponse Reconciling, token Unknown"},
		"cut":           {mfasim.Fault{Kind: mfasim.FaultCutBody}, "False MalformedResponse Reconciling, token Unknown"},
		"endless":       {mfasim.Fault{Kind: mfasim.FaultEndlessBody}, "False MalformedResponse Reconciling, token Unknown"},
		"empty":         {mfasim.Fault{Kind: mfasim.FaultEmptyListing}, "False ListingIncomplete Reconciling, token True"},
		"repeated page": {mfasim.Fault{Kind: mfasim.FaultRepeatPage}, "False MalformedResponse Reconciling, token Unknown"},
	}
	names := make([]string, 12)
	for n := range names {
		names[n] = fmt.Sprintf("u%d", n)
	}
	w := newTestWorld(t, mfasim.Options{})
	for _, name := range names {
		w.apply(w.user(name))
	}
	w.useShortTimeout(5 * time.Second)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			if tc.fault.Kind == mfasim.FaultHang {
				w.useShortTimeout(50 * time.Millisecond)
				defer w.useShortTimeout(5 * time.Second) // whatever fails before
			}
			accounts := w.sim.Accounts()
			tc.fault.Operation = "ListAccounts"
			w.sim.SetFault(tc.fault)
			w.clock.Step(10 * time.Minute)
			w.sim.ResetCalls()
			w.writes = map[string]int{}

			w.drive(time.Hour, names...)

			g.Expect(connReady(w.getConnection())).To(Equal(tc.want))
			w.expectDiscreet(nil)
			g.Expect(w.calls()).To(BeNumerically("<=", 60))
			g.Expect(w.sim.Accounts()).To(Equal(accounts))
			g.Expect(w.writes).To(Equal(map[string]int{statusWrites: 2}), "the change of Ready, and the stale listing")

			w.useShortTimeout(5 * time.Second)
			w.sim.ClearFaults()
			w.drive(6*time.Minute, names...)
			g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
			g.Expect(w.sim.Accounts()).To(Equal(accounts))
			for _, name := range names {
				g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("True Reconciled"))
			}
		})
	}
}

// Accounts that come and go between two pages make nobody lose an account, nor get a second one.
func TestPageShiftWhileListing(t *testing.T) {
	for _, add := range []bool{false, true} {
		t.Run(fmt.Sprint("add=", add), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.SeedN(99, "console") // with the administrator exactly a page
			before := w.apply(w.user("alice"))
			w.apply(w.user("bob"))
			for range 3 {
				w.sim.SetFault(mfasim.Fault{Operation: "ListAccounts", Kind: mfasim.FaultPageShift, ShiftAdd: add, Count: 1})
				w.drive(11*time.Minute, "alice", "bob")
			}
			w.sim.ClearFaults()
			w.drive(11*time.Minute, "alice", "bob")
			after := w.get("alice")
			w.g.Expect(ready(after.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(after.Status.AccountID).To(Equal(before.Status.AccountID))
			w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(2))
		})
	}
}

// Ids are opaque: numbers that a float can't hold and strings go through unharmed.
func TestOddIDs(t *testing.T) {
	for name, opts := range map[string]mfasim.Options{
		"beyond 2^53": {FirstID: 1<<53 + 1},
		"the largest": {FirstID: 1<<64 - 100},
		"strings":     {StringIDs: true},
		"big strings": {StringIDs: true, FirstID: 1<<53 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, opts)
			user := w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }))
			account, _ := w.sim.Account("alice@example.com")
			w.g.Expect(user.Status.AccountID).To(Equal(account.ID.String()))
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") })
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.tick(10 * time.Minute)
			w.g.Expect(w.settle("alice").Status.AccountID).To(Equal(account.ID.String()))
			w.deleteUser("alice")
			_, exists := w.sim.Account("alice@example.com")
			w.g.Expect(exists).To(BeFalse())
		})
	}
}

func TestUnknownRoleAndState(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.apply(w.user("bob"))
	w.g.Expect(w.sim.UpdateAccount("alice@example.com", func(a *mfasim.Account) { a.Role = "AUDITOR" })).To(Succeed())
	w.g.Expect(w.sim.UpdateAccount("bob@example.com", func(a *mfasim.Account) { a.Status = "FROZEN" })).To(Succeed())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") })
	accounts := w.sim.Accounts()
	w.clock.Step(10 * time.Minute)
	w.sim.ResetCalls()

	w.drive(time.Hour, "alice", "bob")

	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False PrivilegedAccount Stalled"))
	w.g.Expect(ready(w.get("bob").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.get("bob").Status.State).To(Equal(v1alpha1.StateUnknown))
	w.g.Expect(condition(w.get("bob").Status.Conditions, v1alpha1.ConditionEnrolled).Status).To(Equal(metav1.ConditionUnknown))
	w.g.Expect(w.sim.Accounts()).To(Equal(accounts))
	w.g.Expect(w.calls()).To(BeNumerically("<=", 8), "listings")

	w.g.Expect(w.sim.UpdateAccount("alice@example.com", func(a *mfasim.Account) { a.Role = mfasim.RoleUser })).To(Succeed())
	w.drive(11*time.Minute, "alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
}

// No code is asked for, and no account made, while the Secret that is to hold the code can't be written.
func TestQuotaForbidsTheSecret(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	none := corev1.ResourceList{"count/secrets": resource.MustParse("0"), corev1.ResourceSecrets: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	w.create(quota)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none} // what the controller of quotas would write
	w.g.Expect(w.client.Status().Update(w.ctx, quota)).To(Succeed())
	w.g.Eventually(func() error { // admission sees the quota through a cache of its own
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "probe"}}
		return w.client.Create(w.ctx, probe, client.DryRunAll)
	}, 20*time.Second).ShouldNot(Succeed())
	w.create(w.user("alice"))
	w.sim.ResetCalls()

	passes := w.drive(time.Hour, "alice")

	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False SecretConflict Stalled"))
	w.g.Expect(passes).To(BeNumerically("<=", 130))
	w.g.Expect(w.sim.Calls()["CreateAccount"]).To(BeZero())
	w.expectDiscreet(w.get("alice"))

	w.deleteObject(quota)
	w.g.Eventually(func() string {
		w.drive(time.Minute, "alice")
		return ready(w.get("alice").Status.Conditions)
	}, 20*time.Second).Should(Equal("True Reconciled"))
}

func TestNamespaceNotAllowed(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	label := func(value string) {
		patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"world":"`+value+`"}}}`))
		w.g.Expect(w.client.Patch(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}, patch)).To(Succeed())
	}
	var namespace corev1.Namespace
	w.g.Expect(w.client.Get(w.ctx, types.NamespacedName{Name: w.namespace}, &namespace)).To(Succeed())
	w.apply(w.user("before"))
	label("another")
	w.create(w.user("alice"))
	accounts := w.sim.Accounts()
	w.sim.ResetCalls()

	w.drive(time.Hour, "alice", "before")

	for _, name := range []string{"alice", "before"} {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("False NotAllowed Stalled"))
	}
	w.g.Expect(w.sim.Accounts()).To(Equal(accounts))
	w.g.Expect(w.calls()).To(BeNumerically("<=", 7), "listings")

	label(namespace.Labels["world"])
	w.drive(time.Minute, "alice", "before")
	for _, name := range []string{"alice", "before"} {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("True Reconciled"))
	}
}

// TestManyRemovedOnPurpose: what the condition tells somebody to do about it works, and nothing else goes meanwhile.
func TestManyRemovedOnPurpose(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	for n := range 12 {
		w.apply(w.user(fmt.Sprintf("u%d", n)))
	}
	for n := range 12 {
		w.sim.DeleteAccount(fmt.Sprintf("u%d@example.com", n))
	}
	w.tick(11 * time.Minute)
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("False ListingIncomplete"))
	w.g.Expect(readyOf(w.getConnection().Status.Conditions).Message).To(ContainSubstring("annotate their MFAUsers with " + v1alpha1.AnnotationOrphan + `: "true" and delete them`))

	for n := range 12 {
		name := fmt.Sprintf("u%d", n)
		w.edit(name, func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
		w.deleteUser(name)
		w.g.Expect(w.get(name).Name).To(BeEmpty())
	}
	w.tick(11 * time.Minute)
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("True Reconciled"))
}
