package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestCrashPoints kills the manager at every moment of a creation and starts another. The moments are those of a creation
// that went well, so that a new call or write becomes one by itself.
func TestCrashPoints(t *testing.T) {
	moments := momentsOfACreation(t)
	table := []string{fmt.Sprintf("%-8s%-36s%8s%8s%8s", "", "killed at", "creates", "issues", "codes")}
	stored := false
	for _, at := range moments {
		stored = stored || at == moment{"PATCH secrets", 1, mfasim.After}
		t.Run(fmt.Sprintf("%s %s %d", at.phase, at.what, at.nth), func(t *testing.T) {
			w := newWorld(t)
			w.create(w.user("alice", bindable))
			dying := newPower()
			dying.at = func(now moment) bool { return now == at }
			killed := w.startWith(dying)
			w.g.Eventually(dying.isOff).Should(BeTrue(), "the moment must come")
			killed.wait()

			w.start()
			calls := w.expectOneLiveCode("alice")
			if stored {
				w.g.Expect(calls).NotTo(HaveKey("IssueCode"), "an answer that is in the Secret is not asked for again")
			}
			table = append(table, fmt.Sprintf("%-8s%-36s%8d%8d%8d", at.phase, fmt.Sprintf("%s (%d)", at.what, at.nth),
				calls["CreateAccount"], calls["IssueCode"], w.sim.CodesIssued(loginOf("alice"))))
		})
	}
	t.Logf("crash points of a creation and what the whole story took:\n%s", strings.Join(table, "\n"))
}

// bindable makes the creation a long one: everything that is done for a new account is in it.
func bindable(user *v1alpha1.MFAUser) {
	user.Spec.FirstName = new("Alice")
	user.Spec.Email = new("alice@example.com")
	user.Spec.Groups = []v1alpha1.GroupMembership{}
}

// momentsOfACreation plays a creation in which nothing goes wrong.
func momentsOfACreation(t *testing.T) []moment {
	w := newWorld(t)
	w.create(w.user("alice", bindable))
	op := w.start()
	w.expectOneLiveCode("alice")
	op.stop()
	var moments []moment
	for _, m := range op.power.recorded() {
		if m.what == "ListAccounts" && m.nth > 1 {
			continue // of the next interval
		}
		moments = append(moments, m)
	}
	what := fmt.Sprint(moments)
	for _, expected := range []string{"ListAccounts", "CreateAccount", "PATCH mfausers 1", "PATCH mfausers/status 1",
		"PATCH mfausers/status 2", "PATCH secrets 1", "PATCH secrets, dry run 1"} {
		w.g.Expect(what).To(ContainSubstring(expected), "the hooks must see what a creation is made of")
	}
	return moments
}

// TestLostAnswers is the same for answers that get lost on the way while the manager lives on.
func TestLostAnswers(t *testing.T) {
	cases := map[string]mfasim.Fault{
		"reset after the account was made": {Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1},
		"half an answer":                   {Operation: "CreateAccount", Kind: mfasim.FaultCutBody, Count: 1},
		"reset before it was made":         {Operation: "CreateAccount", Kind: mfasim.FaultResetBefore, Count: 1},
		"a gateway answers 502":            {Operation: "CreateAccount", Kind: mfasim.FaultStatus, Status: http.StatusBadGateway, Count: 1},
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sim.SetFault(fault)
			w.start()
			w.create(w.user("alice", bindable))
			w.expectOneLiveCode("alice")
		})
	}
}

// TestKilledAfterALostAnswer is the worst of both: the answer of the creation is lost, then the manager is killed at each
// of the calls that would mend it.
func TestKilledAfterALostAnswer(t *testing.T) {
	for _, at := range []moment{
		{"IssueCode", 1, mfasim.Before}, {"IssueCode", 1, mfasim.After}, {"PATCH secrets", 1, mfasim.Before},
		{"PATCH secrets", 1, mfasim.After}, {"PATCH mfausers/status", 2, mfasim.After}, {"PATCH mfausers/status", 3, mfasim.After},
	} {
		t.Run(fmt.Sprintf("%s %s %d", at.phase, at.what, at.nth), func(t *testing.T) {
			w := newWorld(t)
			w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
			w.create(w.user("alice", bindable))
			dying := newPower()
			dying.at = func(now moment) bool { return now == at }
			killed := w.startWith(dying)
			w.g.Eventually(dying.isOff).Should(BeTrue(), "the moment must come")
			killed.wait()
			w.start()
			w.expectLiveCode("alice")
			w.g.Expect(w.sim.CodesIssued(loginOf("alice"))).To(BeNumerically("<=", 3), "one that nobody saw, one lost, one in the Secret")
		})
	}
}

// expectOneLiveCode waits for what a creation promises, whatever happened on the way, and returns the remote calls it took.
func (w *world) expectOneLiveCode(name string) map[string]int {
	w.t.Helper()
	w.expectLiveCode(name)
	w.g.Expect(w.sim.CodesIssued(loginOf(name))).To(BeNumerically("<=", 2), "it may ask for the enrolment code once more")
	return w.sim.Calls()
}

func (w *world) expectLiveCode(name string) {
	w.t.Helper()
	w.awaitReady(name)
	user := w.get(name)
	w.g.Expect(user.Status.Creating).To(BeNil())
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.g.Expect(user.Status.Code.Pending).To(BeNil())
	w.g.Expect(user.Finalizers).To(ConsistOf(v1alpha1.Finalizer))

	w.g.Expect(w.sim.Accounts()).To(HaveLen(2), "the administrator's, and one")
	account, _ := w.sim.Account(loginOf(name))
	w.g.Expect(user.Status.AccountID).To(Equal(account.ID.String()))

	data := w.secret(name).Data
	w.g.Expect(w.sim.Accepts(string(data[v1alpha1.KeyLink]))).To(BeTrue(), "the Secret's link is the live one")
	w.g.Expect(data).To(HaveKeyWithValue(v1alpha1.KeyAccountID, []byte(user.Status.AccountID)))
	w.g.Expect(data).To(HaveKeyWithValue(v1alpha1.KeyExpiresAt, []byte(user.Status.Code.ExpiresAt.UTC().Format(time.RFC3339))))
}
