package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestChangedMeanwhile: the answer to a write shows an edit of another field that no listing has shown yet. That is no field
// which the service does not keep: it is written next.
func TestChangedMeanwhile(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessAllowed) }))
	w.g.Expect(w.sim.UpdateAccount("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })).To(Succeed())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Ada") })

	w.drive(15*time.Minute, "alice")

	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
	account := w.remote("alice@example.com")
	w.g.Expect(account.FirstName).To(Equal("Ada"))
	w.g.Expect(account.Blocked).To(BeFalse())
}

// TestRenamedMeanwhile: the answer to a write shows that the account has another login by now.
func TestRenamedMeanwhile(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.g.Expect(w.sim.UpdateAccount("alice@example.com", func(a *mfasim.Account) { a.Login = "other@example.com" })).To(Succeed())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Ada") })

	w.drive(15*time.Minute, "alice")

	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False IdentityMismatch Stalled"))
}
