package controller

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// unclear are the ways in which a POST can end without telling whether it was carried out.
var unclear = map[string]func(w *testWorld, op string){
	"reset after the work":  fault(mfasim.FaultResetAfter),
	"answer cut short":      fault(mfasim.FaultCutBody),
	"answer without an end": fault(mfasim.FaultEndlessBody),
	"reset before the work": fault(mfasim.FaultResetBefore),
	"a sign-in page":        fault(mfasim.FaultNotJSON),
	"a 500 before the work": fault(mfasim.FaultStatus),
	"a 500 after the work": func(w *testWorld, op string) {
		w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
			if r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "/codes") != (op == "IssueCode") {
				sim.ServeHTTP(out, r)
				return
			}
			w.front.Store(nil)
			sim.ServeHTTP(httptest.NewRecorder(), r)
			http.Error(out, `{"error":"INTERNAL"}`, http.StatusInternalServerError)
		})
	},
}

func fault(kind mfasim.FaultKind) func(*testWorld, string) {
	return func(w *testWorld, op string) { w.sim.SetFault(mfasim.Fault{Operation: op, Kind: kind, Count: 1}) }
}

// TestUnclearCreation: whatever becomes of the answer, there is one account and one live code, and it is in the Secret.
func TestUnclearCreation(t *testing.T) {
	for name, set := range unclear {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			set(w, "CreateAccount")

			user := w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) }))

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.oneLiveCode("alice")
			w.g.Expect(user.Status.Creating).To(BeNil())
			w.g.Expect(user.Status.Code.Pending).To(BeNil())
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			w.g.Expect(user.Status.HandledCodeGeneration).To(Equal(int64(2)))
			w.g.Expect(w.secret("alice").Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationRequest, "create"))
		})
	}
}

// TestUnclearCode: asking for the code once more may go wrong just as well.
func TestUnclearCode(t *testing.T) {
	for name, set := range unclear {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
			set(w, "IssueCode")

			user := w.apply(w.user("alice"))

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.oneLiveCode("alice")
			w.g.Expect(user.Status.Code.Pending).To(BeNil())
		})
	}
}

// TestStoppedWhileCreating: the manager stops while the service still thinks about the answer, and another goes on.
func TestStoppedWhileCreating(t *testing.T) {
	cases := map[string]struct {
		fault *mfasim.Fault
		phase mfasim.Phase
	}{
		"before the work": {&mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultHang, Count: 1}, mfasim.Before},
		"after the work":  {nil, mfasim.After},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			if tc.fault != nil {
				w.sim.SetFault(*tc.fault)
			}
			whole := w.ctx
			var stop context.CancelFunc
			w.ctx, stop = context.WithCancel(whole)
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "CreateAccount" && phase == tc.phase {
					stop()
				}
			})
			w.create(w.user("alice"))
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.sim.OnCall(nil)
			w.ctx = whole
			w.g.Expect(w.get("alice").Status.Creating).NotTo(BeNil(), "the intent is on record")

			w.startOperator()
			w.reconcileConnection()
			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.oneLiveCode("alice")
		})
	}
}

// TestFoundAfterLostAnswer: of what is found under the login afterwards, only a fresh account without power is ours.
func TestFoundAfterLostAnswer(t *testing.T) {
	const ours = "True Reconciled"
	roles := []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager}
	cases := map[string]struct {
		edit func(*mfasim.Account)
		want string
	}{
		"as made":             {func(*mfasim.Account) {}, ours},
		"expired":             {func(a *mfasim.Account) { a.Status = mfasim.StatusExpired }, ours},
		"activated":           {func(a *mfasim.Account) { a.Status = mfasim.StatusActivated }, conflict},
		"blocked":             {func(a *mfasim.Account) { a.Status = mfasim.StatusBlocked }, conflict},
		"PIN-blocked":         {func(a *mfasim.Account) { a.Status = mfasim.StatusPINBlocked }, conflict},
		"in an unheard state": {func(a *mfasim.Account) { a.Status = "FROZEN" }, conflict},
		"authenticated":       {func(a *mfasim.Account) { a.LastAuthenticationDate = time.Now() }, conflict},
		"made a manager":      {func(a *mfasim.Account) { a.Role = mfasim.RoleManager }, conflict},
		"given a custom role": {func(a *mfasim.Account) { a.Role = "HELPDESK" }, "False PrivilegedAccount Stalled"},
		"another's login now": {func(a *mfasim.Account) { a.Login = "bob@example.com" }, ours},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Roles = roles })
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
			w.create(w.user("alice"))
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.g.Expect(w.sim.UpdateAccount("alice@example.com", tc.edit)).To(Succeed())
			w.sim.ResetCalls()

			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.want))
			if tc.want == ours {
				w.oneLiveCode("alice")
				return
			}
			w.g.Expect(w.remoteWrites()).To(BeZero(), "neither changed nor given a code")
			w.g.Expect(user.Status.AccountID).To(BeEmpty())
			w.deleteUser("alice")
			w.g.Expect(w.remoteWrites()).To(BeZero(), "nor removed")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
		})
	}
}

// TestLateFirstAttempt: a first attempt that nobody answered lands while the second is on its way. The second is refused,
// and whose account that is, is judged like after any lost answer.
func TestLateFirstAttempt(t *testing.T) {
	cases := map[string]struct {
		landed mfasim.Account
		want   string
	}{
		"as made":        {mfasim.Account{Login: "alice@example.com", CreatedBy: "API"}, "True Reconciled"},
		"used meanwhile": {mfasim.Account{Login: "alice@example.com", Status: mfasim.StatusActivated}, conflict},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetBefore, Count: 1})
			w.create(w.user("alice"))
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "CreateAccount" && phase == mfasim.Before {
					w.sim.OnCall(nil)
					w.sim.Seed(tc.landed)
				}
			})

			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.want))
			w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(2))
			if tc.want != conflict {
				w.oneLiveCode("alice")
			}
		})
	}
}

// TestDeletedRemotely: an account that disappears is missed for a minute and confirmed before it is made again.
func TestDeletedRemotely(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	first := w.apply(w.user("alice"))
	w.sim.DeleteAccount("alice@example.com")
	w.tick(11 * time.Minute)
	w.sim.ResetCalls()

	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False AccountMissing Reconciling"))
	w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"GetAccount": 1}), "confirmed, and not yet made again")
	result, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(result.RequeueAfter).To(And(BeNumerically(">", 0), BeNumerically("<=", time.Minute)))

	w.clock.Step(61 * time.Second)
	user = w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.AccountID).NotTo(Equal(first.Status.AccountID))
	w.g.Expect(w.removals()).To(Equal([]string{"Recreate alice@example.com"}))
	w.g.Expect(w.getConnection().Status.Removals[0].AccountID).To(Equal(first.Status.AccountID))
	w.oneLiveCode("alice")
	w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(1))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
}

// TestMissingAndBack: an account that a listing lacked but a GET finds was never gone.
func TestMissingAndBack(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		if !strings.HasSuffix(r.URL.Path, "/accounts") {
			sim.ServeHTTP(out, r)
			return
		}
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, r)
		body := strings.ReplaceAll(answer.Body.String(), "alice@example.com", "other@example.com")
		body = strings.ReplaceAll(body, w.remote("alice@example.com").ID.String(), "99999")
		_, _ = io.WriteString(out, body)
	})
	w.tick(11 * time.Minute)
	w.sim.ResetCalls()

	w.settle("alice")
	w.clock.Step(2 * time.Minute)
	user := w.settle("alice")

	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.g.Expect(w.removals()).To(BeEmpty())
}

// TestListingWhileACreationWaits: a listing that began after the intent and before the call says nothing of what the call did.
func TestListingWhileACreationWaits(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		if op == "CreateAccount" && phase == mfasim.Before {
			w.clock.Step(time.Second)
			w.g.Expect(w.connections.connections.get(w.user("alice").ConnectionKey()).inventory.Refresh(w.ctx, w.clock.Now().Add(-time.Millisecond))).To(Succeed())
			w.clock.Step(time.Second)
		}
	})
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
	w.create(w.user("alice"))
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	w.deleteUser("alice")
	w.clock.Step(time.Minute)
	w.settle("alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty())
	w.g.Expect(w.remote(aliceLogin).Blocked).To(BeTrue())
}
