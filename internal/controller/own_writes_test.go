package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// outOfDate are ways in which the cache comes to show less than what this process has written.
var outOfDate = map[string]func(*testWorld){
	"the watch is slow":                         func(*testWorld) {},
	"the answer to the write of status is lost": (*testWorld).loseStatusAnswer,
}

// TestUserFromAStaleCache: a pass that is woken at once, when the cache does not show yet what the pass before wrote, finds
// all well and nothing to write. Status must not go on saying that it is not.
func TestUserFromAStaleCache(t *testing.T) {
	for name, happens := range outOfDate {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.LastName = new("Martin") }))
			stale := w.get("alice")
			w.g.Expect(ready(stale.Status.Conditions)).To(Equal("True Reconciled"))

			w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.LastName = "Edited elsewhere" })).To(Succeed())
			w.tick(11 * time.Minute)
			w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultResetAfter, Count: 1}) // done, but nobody hears of it
			happens(w)
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False ServiceUnavailable Reconciling"))
			w.tick(11 * time.Minute) // a listing shows that the account is as stated

			result, err := w.users.Reconcile(w.ctx, stale)
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(result.RequeueAfter).To(Equal(minWait), "it must come back with a newer copy")
			_, err = w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))

			clear(w.writes)
			_, err = w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(w.writes).To(BeEmpty(), "with a copy that shows the last write nothing is written")
		})
	}
}

// TestConnectionFromAStaleCache is the same of an MFAConnection.
func TestConnectionFromAStaleCache(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	stale := w.getConnection()
	w.g.Expect(ready(stale.Status.Conditions)).To(Equal("True Reconciled"))
	w.sim.SetFault(mfasim.Fault{Operation: "ListAccounts", Kind: mfasim.FaultStatus, Status: 500, Count: 1})
	w.tick(11 * time.Minute)
	w.g.Expect(ready(w.getConnection().Status.Conditions)).To(Equal("False ServiceUnavailable Reconciling"))
	w.clock.Step(11 * time.Minute)

	w.connections.client = showing(w.client, stale)
	result, err := w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(result.RequeueAfter).To(Equal(minWait), "it must come back with a newer copy")
	w.connections.client = w.client
	w.reconcileConnection()
	w.g.Expect(ready(w.getConnection().Status.Conditions)).To(Equal("True Reconciled"))
}

// loseStatusAnswer lets the answer of the next write of a user's status get lost.
func (w *testWorld) loseStatusAnswer() {
	w.users.client = interceptor.NewClient(w.client, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			if err := c.SubResource(sub).Patch(ctx, o, p, opts...); err != nil {
				return err
			}
			w.users.client = w.client
			return errors.New("the answer is lost")
		},
	})
}
