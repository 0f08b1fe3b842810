package controller

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestLeaverGoesOnceItIsTrue: nobody is let go whose account the service goes on to let in, whatever it answers.
func TestLeaverGoesOnceItIsTrue(t *testing.T) {
	notFound := func(fits func(*http.Request) bool) between {
		return func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
			if fits(r) {
				out.WriteHeader(http.StatusNotFound)
				return
			}
			sim.ServeHTTP(out, r)
		}
	}
	cases := map[string]struct {
		policy v1alpha1.DeletionPolicy
		front  between
		ready  string
	}{
		"the block is not kept":     {v1alpha1.DeletionBlock, withoutField("blocked"), "False Deleting Reconciling"},
		"the block is not found":    {v1alpha1.DeletionBlock, notFound(func(r *http.Request) bool { return r.Method == http.MethodPatch }), "False Deleting Reconciling"},
		"the deletion is not found": {v1alpha1.DeletionDelete, notFound(func(r *http.Request) bool { return r.Method == http.MethodDelete }), "False Deleting Reconciling"},
		"the read is not found": {v1alpha1.DeletionBlock, notFound(func(r *http.Request) bool {
			return r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/accounts")
		}), "False MalformedResponse Stalled"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusActivated, func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = tc.policy })
			w.putBetween(tc.front)
			w.g.Expect(w.client.Delete(w.ctx, w.get("alice"))).To(Succeed())
			w.drive(time.Hour, "alice")
			w.g.Expect(w.remote(aliceLogin).Blocked).To(BeFalse())
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal(tc.ready))
			w.g.Expect(readyOf(w.get("alice").Status.Conditions).Message).NotTo(BeEmpty())
			w.g.Expect(w.happened()).NotTo(ContainElement(Or(Equal("Blocked"), Equal("Deleted"))))
			w.g.Expect(w.sim.Calls()["ListAccounts"]).To(BeNumerically("<", 40), "trouble is bounded")
			w.g.Expect(len(w.removals())).To(BeNumerically("<=", 1), "one removal counts once")

			w.front.Store(nil)
			w.drive(time.Hour, "alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			account, exists := w.sim.Account(aliceLogin)
			w.g.Expect(!exists || account.Blocked).To(BeTrue())
		})
	}
}

// withoutField keeps a field of all updates from the service, which knows it by another name.
func withoutField(field string) between {
	return func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		if r.Method == http.MethodPatch {
			body := map[string]any{}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				out.WriteHeader(http.StatusBadRequest)
				return
			}
			delete(body, field)
			data, err := json.Marshal(body)
			if err != nil {
				out.WriteHeader(http.StatusBadRequest)
				return
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		}
		sim.ServeHTTP(out, r)
	}
}

// TestOldIntentProvesNothing: a creation that had no answer long ago does not make somebody else's account with the login ours.
func TestOldIntentProvesNothing(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetBefore, Count: 1})
	w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }))
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
	w.g.Expect(w.settle("alice").Status.Creating).NotTo(BeNil(), "the policy stops every pass before it looks")

	w.tick(90 * 24 * time.Hour)
	theirs := w.sim.Seed(mfasim.Account{Login: aliceLogin})
	w.tick(11 * time.Minute)
	w.deleteUser("alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty())
	w.g.Expect(w.removals()).To(BeEmpty())
	w.g.Expect(w.remote(aliceLogin)).To(Equal(theirs))
}

// TestBlockUndoneInTheThirdLife: a manifest that comes back, and goes again before its account was unblocked, is not taken for
// one whose account somebody else has blocked.
func TestBlockUndoneInTheThirdLife(t *testing.T) {
	cases := map[string]func(w *testWorld){
		"the service refused that": func(w *testWorld) {
			w.create(w.user("alice"))
			w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Status: 500, Count: 1})
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
		},
		"it only observed": func(w *testWorld) {
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }))
		},
	}
	for name, secondLife := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusActivated)
			w.deleteUser("alice")
			w.clock.Step(time.Minute)

			secondLife(w)
			w.g.Expect(w.get("alice").Status.BlockedByRemoval).To(BeTrue())
			w.deleteUser("alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.clock.Step(time.Minute)

			w.apply(w.user("alice"))
			w.g.Expect(w.remote(aliceLogin).Blocked).To(BeFalse())
		})
	}
}

// TestLeaverRefusedOnce: a leaver whose removal was refused as wrong is tried again by itself, for his manifest can't be corrected.
func TestLeaverRefusedOnce(t *testing.T) {
	for operation, policy := range map[string]v1alpha1.DeletionPolicy{
		"GetAccount": v1alpha1.DeletionBlock, "UpdateAccount": v1alpha1.DeletionBlock, "DeleteAccount": v1alpha1.DeletionDelete,
	} {
		t.Run(operation, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = policy }))
			w.sim.SetFault(mfasim.Fault{Operation: operation, Kind: mfasim.FaultStatus, Status: 400, Count: 1})
			w.deleteObject(w.get("alice"))
			result, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(result.RequeueAfter).To(Equal(10*time.Minute), "nothing else wakes a user")
			refused := w.get("alice")
			w.g.Expect(ready(refused.Status.Conditions)).To(Equal("False RequestRefused Stalled"))
			w.g.Expect(readyOf(refused.Status.Conditions).Message).To(ContainSubstring(v1alpha1.AnnotationOrphan))
			w.settle("alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
		})
	}
}
