package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// badAnswers are the rows of the errors table, and what alice's Ready says when the call in question is answered so.
var badAnswers = map[string]struct {
	fault mfasim.Fault
	want  string
	// on holds what differs where this call is answered so; an empty string leaves the case out.
	on map[string]string
}{
	"400": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 400}, "False RequestRefused Stalled", nil},
	"422": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 422}, "False RequestRefused Stalled", nil},
	"403": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 403}, "False Denied Stalled", nil},
	"404": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 404}, "False Progressing Reconciling", map[string]string{
		"GetAccount": "", "DeleteAccount": "", // done, for a removal
	}},
	"409": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 409}, "False Progressing Reconciling", map[string]string{
		"CreateAccount": "False AccountConflict Stalled", "GetAccount": "False Deleting Reconciling", "DeleteAccount": "False Deleting Reconciling"}},
	"500":        {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 500}, "False ServiceUnavailable Reconciling", nil},
	"503":        {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 503}, "False RateLimited Reconciling", nil},
	"reset":      {mfasim.Fault{Kind: mfasim.FaultResetBefore}, "False ServiceUnavailable Reconciling", nil},
	"hang":       {mfasim.Fault{Kind: mfasim.FaultHang}, "False ServiceUnavailable Reconciling", nil},
	"HTML":       {mfasim.Fault{Kind: mfasim.FaultNotJSON}, "False MalformedResponse Reconciling", nil},
	"no body":    {mfasim.Fault{Kind: mfasim.FaultNOKBody, Body: " "}, "False MalformedResponse Reconciling", map[string]string{"DeleteAccount": ""}},
	"wrong body": {mfasim.Fault{Kind: mfasim.FaultNOKBody, Body: `{"id":{"a":1},"login":[],"content":7,"hasMore":"x"}`}, "False MalformedResponse Reconciling", map[string]string{"DeleteAccount": ""}},
	"redirect":   {mfasim.Fault{Kind: mfasim.FaultRedirect, Location: "https://example.invalid/"}, "False MalformedResponse Reconciling", nil},
	"NOK":        {mfasim.Fault{Kind: mfasim.FaultNOKBody, Body: "NOK:syntax"}, "False RequestRefused Stalled", nil},
	"NOK:loginexists": {mfasim.Fault{Kind: mfasim.FaultNOKBody, Body: `{"err":"NOK:loginexists"}`}, "False Progressing Reconciling", map[string]string{
		"CreateAccount": "False AccountConflict Stalled", "GetAccount": "False Deleting Reconciling", "DeleteAccount": "False Deleting Reconciling"}},
	"NOK:full": {mfasim.Fault{Kind: mfasim.FaultNOKBody}, "False QuotaExceeded Reconciling", nil},
}

// aliceBefore brings alice to where the next pass makes the call.
var aliceBefore = map[string]func(w *testWorld){
	"CreateAccount": func(w *testWorld) { w.create(w.user("alice")) },
	"UpdateAccount": func(w *testWorld) {
		w.apply(w.user("alice"))
		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") })
	},
	"GetAccount":    removeAlice,
	"DeleteAccount": removeAlice,
}

func removeAlice(w *testWorld) {
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }))
	w.deleteObject(w.get("alice"))
}

// TestBadAnswers answers each kind of call in each bad way for an hour: alice says so clearly, nobody else is touched, the
// calls are few, and the work is done soon after the service is mended.
func TestBadAnswers(t *testing.T) {
	for operation, bring := range aliceBefore {
		for name, tc := range badAnswers {
			want, differs := tc.on[operation]
			if !differs {
				want = tc.want
			}
			if want == "" {
				continue
			}
			t.Run(operation+"/"+name, func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{})
				w.apply(w.user("bystander"))
				bring(w)
				w.useShortTimeout(5 * time.Second)
				if tc.fault.Kind == mfasim.FaultHang {
					w.useShortTimeout(250 * time.Millisecond)
				}
				accounts, bystander := w.sim.Accounts(), w.get("bystander")
				tc.fault.Operation = operation
				w.sim.SetFault(tc.fault)
				w.sim.ResetCalls()

				w.drive(time.Hour, "alice", "bystander")

				w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal(want))
				w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"), "one call's trouble is not the connection's")
				w.g.Expect(w.sim.Calls()[operation]).To(And(BeNumerically(">", 0), BeNumerically("<=", 25)))
				w.g.Expect(w.calls()).To(BeNumerically("<=", 80))
				w.g.Expect(w.sim.Accounts()).To(Equal(accounts), "nothing lost, nothing made")
				w.g.Expect(w.get("bystander").Status).To(Equal(bystander.Status))
				w.expectDiscreet(w.get("alice"))

				w.sim.ClearFaults()
				w.drive(11*time.Minute, "alice")
				w.expectAliceDone(operation)
			})
		}
	}
}

// expectAliceDone checks that what alice's manifest asked for has happened.
func (w *testWorld) expectAliceDone(operation string) {
	w.t.Helper()
	account, exists := w.sim.Account("alice@example.com")
	switch operation {
	case "GetAccount", "DeleteAccount":
		w.g.Expect(exists).To(BeFalse())
		w.g.Expect(w.get("alice").Name).To(BeEmpty())
		return
	case "UpdateAccount":
		w.g.Expect(account.FirstName).To(Equal("Alice"))
	}
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyLink]))).To(BeTrue(), "the Secret holds the live code")
}

// Work that is done though its answer is lost or spoilt is found, not done twice.
func TestSpoiltAnswerToDoneWork(t *testing.T) {
	for operation, bring := range aliceBefore {
		for name, fault := range map[string]mfasim.Fault{
			"lost":    {Kind: mfasim.FaultResetAfter},
			"cut":     {Kind: mfasim.FaultCutBody},
			"endless": {Kind: mfasim.FaultEndlessBody},
		} {
			if operation == "GetAccount" || operation == "DeleteAccount" && name == "cut" {
				continue // a cut nothing is nothing
			}
			t.Run(operation+"/"+name, func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{})
				bring(w)
				fault.Operation = operation
				w.sim.SetFault(fault)
				w.sim.ResetCalls()

				w.drive(time.Hour, "alice")

				w.g.Expect(w.sim.Calls()[operation]).To(And(BeNumerically(">", 0), BeNumerically("<=", 25)))
				w.g.Expect(w.calls()).To(BeNumerically("<=", 80))
				w.expectDiscreet(w.get("alice"))
				if operation == "CreateAccount" {
					w.g.Expect(w.sim.Calls()).To(And(HaveKeyWithValue("CreateAccount", 1), HaveKeyWithValue("IssueCode", 1)))
				}
				w.sim.ClearFaults()
				w.drive(11*time.Minute, "alice")
				w.expectAliceDone(operation)
			})
		}
	}
}
