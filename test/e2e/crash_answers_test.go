package e2e

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestLostAnswers loses the answer of a creation in other ways than those of TestCrashPoints, while the manager lives on.
func TestLostAnswers(t *testing.T) {
	cases := map[string]mfasim.Fault{
		"half an answer":           {Operation: "CreateAccount", Kind: mfasim.FaultCutBody, Count: 1},
		"reset before it was made": {Operation: "CreateAccount", Kind: mfasim.FaultResetBefore, Count: 1},
		"a gateway answers 502":    {Operation: "CreateAccount", Kind: mfasim.FaultStatus, Status: http.StatusBadGateway, Count: 1},
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

// expectOneLiveCode waits for what a creation promises, whatever happened on the way.
func (w *world) expectOneLiveCode(name string) {
	w.t.Helper()
	w.expectLiveCode(name)
	w.g.Expect(w.sim.CodesIssued(loginOf(name))).To(BeNumerically("<=", 2), "it may ask for the enrolment code once more")
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
