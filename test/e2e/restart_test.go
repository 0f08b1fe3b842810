package e2e

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/manager"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRestart: what happened while no manager ran is dealt with by the next, and nothing is issued twice.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	elected := func(o *manager.Options) { o.LeaderElect = true }
	op := w.start(elected)
	w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }), w.user("bob"))
	w.awaitReady("alice", "bob")
	link := w.secret("alice").Data[v1alpha1.KeyLink]
	op.stop()

	w.g.Expect(w.sim.UpdateAccount(loginOf("alice"), func(a *mfasim.Account) { a.FirstName = "Mallory" })).To(Succeed())
	w.g.Expect(w.client.Delete(w.ctx, w.get("bob"))).To(Succeed())
	w.create(w.user("carol"))
	w.start(elected)
	w.awaitReady("carol")
	w.awaitGone("bob")
	w.g.Eventually(func() string { return w.account("alice").FirstName }).Should(Equal("Alice"))
	w.g.Expect(w.account("bob").Blocked).To(BeTrue())
	w.g.Expect(w.secret("alice").Data).To(HaveKeyWithValue(v1alpha1.KeyLink, link), "the code in the Secret is still the one")
	w.g.Expect(w.sim.Accepts(string(link))).To(BeTrue())
	w.g.Expect(w.sim.CodesIssued(loginOf("alice"))).To(Equal(1))
}

// TestTokenRotation: a new token in the Secret is used at once, and one that was refused is mended by it.
func TestTokenRotation(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create(w.user("alice"))
	w.awaitReady("alice")
	next := w.tellRotation(w.sim.Token())

	w.sim.RevokeToken(next)
	w.awaitConnection("False TokenRejected")
	w.create(w.user("bob"))
	w.awaitUser("bob", "False ConnectionNotReady")
	w.awaitReady("alice")
	edit(w, w.tokenSecret(next), func(s *corev1.Secret) { s.Data["token"] = []byte(w.sim.IssueToken(mfasim.DefaultAdminLogin, 0)) })
	w.awaitConnection("True Reconciled")
	w.awaitReady("alice", "bob")
	w.g.Expect(w.sim.Accounts()).To(HaveLen(3))
}

// TestConnectionComesBack: a connection that is made to go by force and made again finds its users as they were.
func TestConnectionComesBack(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create(w.user("alice"))
	w.awaitReady("alice")
	link := w.secret("alice").Data[v1alpha1.KeyLink]
	w.g.Eventually(func() []string { return w.getConnection().Finalizers }).Should(ConsistOf(v1alpha1.FinalizerInUse))
	w.g.Expect(w.client.Delete(w.ctx, w.getConnection())).To(Succeed())
	edit(w, w.getConnection(), func(c *v1alpha1.MFAConnection) { c.Finalizers = nil })
	w.g.Eventually(func() string { return w.getConnection().Name }).Should(BeEmpty())
	w.create(w.user("bob"))
	w.awaitUser("bob", "False ConnectionNotFound")
	w.awaitReady("alice")

	w.create(w.connection())
	w.awaitConnection("True Reconciled")
	w.awaitReady("alice", "bob")
	w.g.Expect(w.secret("alice").Data).To(HaveKeyWithValue(v1alpha1.KeyLink, link))
	w.g.Expect(w.sim.Accepts(string(link))).To(BeTrue())
	w.g.Expect(w.sim.CodesIssued(loginOf("alice"))).To(Equal(1))
	w.g.Expect(client.IgnoreNotFound(w.client.Delete(w.ctx, w.get("bob")))).To(Succeed())
	w.awaitGone("bob")
}
