package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const conflict = "False AccountConflict Stalled"

// TestAdoption: an account that was there before is taken over only when user and connection agree and its role is one
// that the connection's owner listed; and then nothing is issued.
func TestAdoption(t *testing.T) {
	const privileged, adopted = "False PrivilegedAccount Stalled", "True Reconciled"
	type row struct {
		policy v1alpha1.ConnectionAdoption
		ask    v1alpha1.AdoptionPolicy
		role   string
		roles  []v1alpha1.Role
		want   string
	}
	const never, ifExists = v1alpha1.AdoptionNever, v1alpha1.AdoptionIfExists
	const deny, allow, always = v1alpha1.ConnectionAdoptionDeny, v1alpha1.ConnectionAdoptionAllow, v1alpha1.ConnectionAdoptionAlways
	both := []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager}
	cases := map[string]row{
		"denied, not asked":                {deny, never, "USER", nil, conflict},
		"denied, asked":                    {deny, ifExists, "USER", nil, conflict},
		"allowed, not asked":               {allow, never, "USER", nil, conflict},
		"allowed and asked":                {allow, ifExists, "USER", nil, adopted},
		"always, not asked":                {always, never, "USER", nil, adopted},
		"always and asked":                 {always, ifExists, "USER", nil, adopted},
		"a manager":                        {always, ifExists, "MANAGER", nil, privileged},
		"a manager, not even asked":        {deny, never, "MANAGER", nil, privileged},
		"an administrator":                 {always, ifExists, "ADMINISTRATOR", nil, privileged},
		"a custom role":                    {always, ifExists, "HELPDESK", nil, privileged},
		"a custom role in lower case":      {always, ifExists, "user+", nil, privileged},
		"a role number nobody knows":       {always, ifExists, "7", nil, privileged},
		"no role at all":                   {always, ifExists, " ", nil, privileged},
		"a manager where managers may be":  {allow, ifExists, "MANAGER", both, adopted},
		"managers may be, but not adopted": {deny, ifExists, "MANAGER", both, conflict},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) {
				c.Spec.Policy.Adoption, c.Spec.Policy.Roles = tc.policy, tc.roles
			})
			before := w.sim.Seed(mfasim.Account{Login: "alice@example.com", FirstName: "Alice", Role: tc.role, Status: mfasim.StatusActivated})
			w.tick(11 * time.Minute)
			w.sim.ResetCalls()

			user := w.apply(w.user("alice", func(u *v1alpha1.MFAUser) {
				u.Spec.AdoptionPolicy = tc.ask
				u.Spec.Code.Generation = new(int64(3))
				u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: "Unlock/1"}
			}))

			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.want))
			w.g.Expect(w.remoteWrites()).To(BeZero(), "neither made, changed nor given a code: %v", w.sim.Calls())
			w.g.Expect(w.remote("alice@example.com")).To(Equal(before))
			w.g.Expect(w.secret("alice")).To(BeNil(), "nothing is issued")
			if tc.want != adopted {
				w.g.Expect(user.Status.AccountID).To(BeEmpty())
				w.g.Expect(user.Finalizers).To(BeEmpty())
				return
			}
			w.g.Expect(user.Status.AccountID).To(Equal(before.ID.String()))
			w.g.Expect(user.Status.HandledCodeGeneration).To(Equal(int64(3)), "the stated generation counts as handled")
			w.g.Expect(user.Status.HandledIssueCodes).To(ConsistOf("Unlock/1"), "and so does the annotation")
			w.g.Expect(user.Finalizers).To(ConsistOf(v1alpha1.Finalizer), "from now on its removal is ours to do")
			w.g.Expect(w.happened()).To(ContainElement("Adopted"))
		})
	}
}

// TestTakenLogin: whose account it is that a creation runs into.
func TestTakenLogin(t *testing.T) {
	cases := map[string]struct {
		// seed puts the foreign account there; before the listing, or after it so that the creation runs into it.
		account   mfasim.Account
		late      bool
		wantPOSTs int
	}{
		"in the picture":                     {account: mfasim.Account{Login: "alice@example.com", Status: mfasim.StatusActivated}},
		"in the picture, pending":            {account: mfasim.Account{Login: "alice@example.com"}},
		"in the picture, other case":         {account: mfasim.Account{Login: "ALICE@Example.com"}},
		"made since the listing":             {account: mfasim.Account{Login: "alice@example.com", Status: mfasim.StatusActivated}, late: true, wantPOSTs: 1},
		"made since the listing, pending":    {account: mfasim.Account{Login: "alice@example.com"}, late: true, wantPOSTs: 1},
		"made since the listing, other case": {account: mfasim.Account{Login: "Alice@example.com"}, late: true, wantPOSTs: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			before := w.sim.Seed(tc.account)
			if !tc.late {
				w.tick(11 * time.Minute)
			}
			w.sim.ResetCalls()

			user := w.apply(w.user("alice"))

			w.g.Expect(ready(user.Status.Conditions)).To(Equal(conflict))
			w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(tc.wantPOSTs))
			w.g.Expect(w.remoteWrites()).To(Equal(tc.wantPOSTs), "and nothing else")
			w.g.Expect(w.remote("alice@example.com")).To(Equal(before))
			w.g.Expect(user.Status.Creating).To(BeNil(), "a first attempt that is refused leaves no claim behind")
			w.g.Expect(user.Status.AccountID).To(BeEmpty())
			w.g.Expect(w.secret("alice")).To(BeNil())
		})
	}
}

// TestTakenLoginHeals: once the foreign account is gone the manifest gets its own.
func TestTakenLoginHeals(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.Seed(mfasim.Account{Login: "alice@example.com"})
	w.tick(11 * time.Minute)
	w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal(conflict))

	w.sim.DeleteAccount("alice@example.com")
	w.tick(11 * time.Minute)
	user := w.settle("alice")

	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.oneLiveCode("alice")
}

// TestForgedProof: labels, annotations, the finalizer and Secrets are in a tenant's hands; none of them proves anything.
func TestForgedProof(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	before := w.sim.Seed(mfasim.Account{Login: "alice@example.com"})
	w.tick(11 * time.Minute)
	forged := w.user("alice", func(u *v1alpha1.MFAUser) {
		u.Finalizers = []string{v1alpha1.Finalizer}
		u.Labels = map[string]string{v1alpha1.LabelCode: v1alpha1.LabelTrue}
		u.Annotations = map[string]string{v1alpha1.AnnotationRequest: "create", v1alpha1.Group + "/account-id": before.ID.String()}
		u.Status.AccountID = before.ID.String() // the API server drops status from a creation
	})
	w.create(forged)
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.namespace, Name: "alice-mfa", Labels: map[string]string{v1alpha1.LabelCode: v1alpha1.LabelTrue},
			Annotations:     map[string]string{v1alpha1.AnnotationRequest: "create"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(forged, v1alpha1.SchemeGroupVersion.WithKind("MFAUser"))},
		},
		Type: v1alpha1.SecretType,
		Data: map[string][]byte{v1alpha1.KeyAccountID: []byte(before.ID.String()), v1alpha1.KeyLogin: []byte("alice@example.com"), v1alpha1.KeyCode: []byte("forged")},
	})
	w.sim.ResetCalls()

	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal(conflict))
	w.g.Expect(user.Status.AccountID).To(BeEmpty())

	w.deleteUser("alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty(), "a forged finalizer holds nobody")
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.g.Expect(w.remote("alice@example.com")).To(Equal(before))
}

// TestIdentityMismatch: id and login must both fit before anything is written.
func TestIdentityMismatch(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }))
	w.console("alice@example.com", func(a *mfasim.Account) { a.Login, a.FirstName = "mallory@example.com", "Mallory" })
	w.sim.ResetCalls()

	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False IdentityMismatch Stalled"))
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) })
	w.settle("alice")
	w.g.Expect(w.client.Delete(w.ctx, w.get("alice"))).To(Succeed())
	user = w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False IdentityMismatch Stalled"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(ContainSubstring(v1alpha1.AnnotationOrphan), "there is a way out")
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.g.Expect(w.remote("mallory@example.com").Blocked).To(BeFalse())
}

// TestLoginCase: the service does not tell upper from lower case, and neither does the operator.
func TestLoginCase(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Login, u.Spec.FirstName = "Alice@Example.COM", new("Alice") }))
	w.console("alice@example.com", func(a *mfasim.Account) { a.Login, a.FirstName = "ALICE@example.com", "Bob" })

	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").FirstName).To(Equal("Alice"), "still ours, and corrected")
}
