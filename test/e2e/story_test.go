package e2e

import (
	"net/http"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// The parts of a story in which the operator does all that it can do. Each ends when its outcome is there.

func (w *world) tellCreation() {
	w.t.Helper()
	w.sim.AddGroup("staff")
	w.sim.AddGroup("staff-it")
	w.create(
		w.user("alice", func(u *v1alpha1.MFAUser) {
			u.Spec.FirstName = new("Alice")
			u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}}
		}),
		w.user("bob", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }),
		w.user("carol", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain }),
	)
	w.awaitReady("alice", "bob", "carol")
	w.g.Expect(w.sim.Memberships(loginOf("alice"))).To(ConsistOf(HaveField("Group", "staff")))
}

// tellRefusal lets the service refuse a creation as wrong until the manifest is mended.
func (w *world) tellRefusal() {
	w.t.Helper()
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultStatus, Status: http.StatusBadRequest, Count: 1})
	w.create(w.user("erin"))
	w.awaitUser("erin", "False RequestRefused")
	edit(w, w.get("erin"), func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Erin") })
	w.awaitReady("erin")
}

// tellDrift lets somebody change an account in the console, time and again. The changes differ: a listing that shows what
// the operator has just corrected counts as stale for a minute.
func (w *world) tellDrift() {
	w.t.Helper()
	for _, name := range []string{"Alicia", "Alison", "Ali"} {
		w.g.Expect(w.sim.UpdateAccount(loginOf("alice"), func(a *mfasim.Account) { a.FirstName = name })).To(Succeed())
		w.g.Eventually(func() string { return w.account("alice").FirstName }).Should(Equal("Alice"))
	}
}

func (w *world) tellBlock() {
	w.t.Helper()
	for _, access := range []v1alpha1.Access{v1alpha1.AccessBlocked, v1alpha1.AccessAllowed} {
		edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) { u.Spec.Access = new(access) })
		w.awaitReady("alice")
		w.g.Expect(w.account("alice").Blocked).To(Equal(access == v1alpha1.AccessBlocked))
	}
}

func (w *world) tellGroups() {
	w.t.Helper()
	edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) {
		u.Spec.Language = new("fr") // two changes in one pass are one event that repeats
		u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff-it", Role: v1alpha1.RoleUser}}
	})
	w.awaitReady("alice")
	w.g.Expect(w.sim.Memberships(loginOf("alice"))).To(ConsistOf(HaveField("Group", "staff-it")))
}

func (w *world) tellAdoption() {
	w.t.Helper()
	w.sim.Seed(mfasim.Account{Login: loginOf("dave"), Status: mfasim.StatusActivated})
	w.create(w.user("dave", func(u *v1alpha1.MFAUser) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }))
	w.awaitReady("dave")
	w.g.Expect(w.sim.CodesIssued(loginOf("dave"))).To(BeZero())
}

// tellMail has a link mailed too.
func (w *world) tellMail() {
	w.t.Helper()
	edit(w, w.get("bob"), func(u *v1alpha1.MFAUser) { u.Spec.Email = new(loginOf("bob")) })
	edit(w, w.get("bob"), mailed(v1alpha1.DeliverySecretAndEmail))
	w.g.Eventually(w.sim.Outbox).Should(HaveLen(1))
}

// tellEnrolment lets a person use the link, and a colleague lose his Secret.
func (w *world) tellEnrolment() {
	w.t.Helper()
	w.g.Expect(w.sim.UseCode(string(w.secret("carol").Data[v1alpha1.KeyLink]))).To(Succeed())
	w.g.Eventually(func() map[string][]byte { return w.secret("carol").Data }).ShouldNot(HaveKey(v1alpha1.KeyLink))
	w.g.Expect(w.client.Delete(w.ctx, w.secret("bob"))).To(Succeed())
	w.g.Eventually(func() v1alpha1.CodePhase { return w.get("bob").Status.Code.Phase }).Should(Equal(v1alpha1.CodeLost))
}

// tellRotation puts a new token in the place of the old one, which stops to work. It returns the new one.
func (w *world) tellRotation(old string) string {
	w.t.Helper()
	token := w.sim.IssueToken(mfasim.DefaultAdminLogin, 0)
	edit(w, w.tokenSecret(old), func(s *corev1.Secret) { s.Data["token"] = []byte(token) })
	w.g.Eventually(func() bool { return w.getConnection().Status.TokenExpiresAt == nil }).Should(BeTrue(), "the new one has no expiry")
	w.sim.RevokeToken(old)
	edit(w, w.get("alice"), func(u *v1alpha1.MFAUser) { u.Spec.LastName = new("Martin") })
	w.awaitReady("alice")
	w.g.Expect(w.account("alice").LastName).To(Equal("Martin"))
	return token
}

// tellRemoval deletes a manifest of each policy.
func (w *world) tellRemoval() {
	w.t.Helper()
	for _, name := range []string{"alice", "bob", "carol"} {
		w.g.Expect(w.client.Delete(w.ctx, w.get(name))).To(Succeed())
	}
	w.awaitGone("alice", "bob", "carol")
	w.g.Expect(w.account("alice").Blocked).To(BeTrue(), "Block")
	w.g.Expect(w.account("bob").Login).To(BeEmpty(), "Delete")
	w.g.Expect(w.account("carol").Blocked).To(BeFalse(), "Retain")
	w.g.Expect(w.account("carol").Login).NotTo(BeEmpty(), "Retain")
}

// account is the remote account of a user; one without a login when there is none.
func (w *world) account(name string) mfasim.Account {
	account, _ := w.sim.Account(loginOf(name))
	return account
}
