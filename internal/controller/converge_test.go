package controller

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

const notConverging = "False NotConverging Stalled"

// dropPhone stands for a service that takes a phone number and does not keep it. What its answer says is told by honest.
func (w *testWorld) dropPhone(honest bool) {
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		if r.Method != http.MethodPatch {
			sim.ServeHTTP(out, r)
			return
		}
		body := map[string]any{}
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &body)
		phone, written := body["phone"]
		delete(body, "phone")
		data, _ = json.Marshal(body)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, r)
		account := map[string]any{}
		_ = json.Unmarshal(answer.Body.Bytes(), &account)
		if written && !honest {
			account["phone"] = phone
		}
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(account)
	})
}

// TestThreeWrites: a field that the service does not keep is written three times, restarts or not; the others go on being
// kept as stated. It heals when the service has the value after all, and gets another try by hand or with a new manifest.
func TestThreeWrites(t *testing.T) {
	for name, honest := range map[string]bool{"its answer shows it": true, "only listings show it": false} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.AddGroup("staff")
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }))
			w.dropPhone(honest)
			w.edit("alice", func(u *v1alpha1.MFAUser) {
				u.Spec.Phone, u.Spec.Groups = new("+33612345678"), group("staff", v1alpha1.RoleUser)
			})
			tries := func() int {
				w.sim.ResetCalls()
				for range 6 {
					w.settle("alice")
					w.startOperator()
					w.tick(11 * time.Minute)
				}
				return w.sim.Calls()["UpdateAccount"]
			}
			w.g.Expect(tries()).To(Equal(3))
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal(notConverging))
			w.g.Expect(is(v1alpha1.ConditionAccountSynced)(user)).To(Equal("False OutOfSync"))
			w.g.Expect(readyOf(user.Status.Conditions).Message).To(And(ContainSubstring("phone"), Not(ContainSubstring("33612345678"))))
			w.g.Expect(w.sim.Memberships("alice@example.com")).To(HaveLen(1), "groups do not wait for it")
			w.g.Expect(tries()).To(BeZero())

			w.console("alice@example.com", func(a *mfasim.Account) { a.FirstName, a.Phone = "Mallory", "+1" })
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal(notConverging), "nor does somebody's third value start it anew")
			w.g.Expect(w.remote("alice@example.com").FirstName).To(Equal("Alice"), "other fields are corrected")

			w.edit("alice", func(u *v1alpha1.MFAUser) {
				u.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: "now"}
			})
			w.g.Expect(tries()).To(Equal(3), "asked for by hand")
			w.g.Expect(w.get("alice").Status.HandledReconcileRequest).To(Equal("now"))
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Phone = new("+33600000000") })
			w.g.Expect(tries()).To(Equal(3), "another value")
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal(notConverging))

			w.console("alice@example.com", func(a *mfasim.Account) { a.Phone = "+33600000000" })
			user = w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(is(v1alpha1.ConditionAccountSynced)(user)).To(Equal("True InSync"))
		})
	}
}

// TestDriftIsNoDivergence: what a person edits again and again elsewhere is corrected again and again.
func TestDriftIsNoDivergence(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }))
	w.sim.ResetCalls()
	for range 6 {
		w.console("alice@example.com", func(a *mfasim.Account) { a.FirstName = "Else" })
		w.writes = map[string]int{}
		w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(w.writes).To(Equal(map[string]int{"patch *v1alpha1.MFAUser/status": 1}), "a correction is one write of status")
		w.tick(11 * time.Minute) // it holds for a listing
		w.writes = map[string]int{}
		w.settle("alice")
		w.g.Expect(w.writes).To(BeEmpty())
	}
	w.g.Expect(w.sim.Calls()["UpdateAccount"]).To(Equal(6))
	w.g.Expect(w.get("alice").Status.Corrections).To(HaveLen(1))
	w.g.Expect(w.get("alice").Status.Corrections[0].Writes).To(Equal(int32(1)))
}

// TestRewriteIsPlanned: between two tries of what an answer showed not kept there is a wait, and the user says what goes on.
func TestRewriteIsPlanned(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.dropPhone(true)
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Phone = new("+33612345678") })
	for n := range rules.MaxWrites - 1 {
		result, err := w.pass("alice")
		w.g.Expect(err).NotTo(HaveOccurred())
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False Progressing Reconciling"), "after %d writes", n+1)
		w.g.Expect(result.RequeueAfter).To(Equal(rewriteAfter))
	}
	_, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal(notConverging))
}

// TestReturnUnderObserve: the block of a removal is remembered until it may be lifted.
func TestReturnUnderObserve(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.deleteUser("alice")
	w.tick(11 * time.Minute)
	user := w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }))
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True ChangesPending"))
	w.g.Expect(user.Status.PendingChanges).To(Equal([]string{"access"}))
	w.startOperator()
	w.tick(11 * time.Minute)

	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementFull })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())

	w.console("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue(), "a later block is somebody else's")
}
