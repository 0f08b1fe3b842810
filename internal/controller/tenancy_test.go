package controller

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// estate is what a tenant must not reach: the account and the Secret of an MFAUser in another namespace, accounts that no
// MFAUser holds, and the connection's token.
type estate struct {
	accounts []mfasim.Account
	issued   []int
	secrets  []corev1.Secret
	victim   v1alpha1.MFAUserStatus
}

var estateLogins = []string{"victim@example.com", "carol@example.com", "boss@example.com"}

func (w *testWorld) estate() (e estate) {
	w.t.Helper()
	for _, login := range estateLogins {
		e.accounts = append(e.accounts, w.remote(login))
		e.issued = append(e.issued, w.sim.CodesIssued(login))
	}
	for _, name := range []string{"victim-mfa", "token"} {
		var secret corev1.Secret
		w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.mfaNamespace, Name: name}, &secret)).To(Succeed())
		e.secrets = append(e.secrets, secret)
	}
	var victim v1alpha1.MFAUser
	w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.mfaNamespace, Name: "victim"}, &victim)).To(Succeed())
	e.victim = victim.Status
	return e
}

// settleEstate fills the world with what is to be protected.
func (w *testWorld) settleEstate() estate {
	w.t.Helper()
	w.sim.Seed(mfasim.Account{Login: "carol@example.com", Status: mfasim.StatusActivated})
	w.sim.Seed(mfasim.Account{Login: "boss@example.com", Role: mfasim.RoleAdministrator, Status: mfasim.StatusActivated})
	w.tick(11 * time.Minute)
	victim := w.user("victim", func(u *v1alpha1.MFAUser) { u.Namespace = w.mfaNamespace })
	w.create(victim)
	w.g.Expect(ready(w.settled(victim).Status.Conditions)).To(Equal("True Reconciled"))
	w.reconcileConnection() // which puts the finalizers on
	w.clock.Step(time.Second)
	return w.estate()
}

// TestTenancy: what somebody with a namespace of his own tries with a manifest, and what becomes of it.
func TestTenancy(t *testing.T) {
	type user = *v1alpha1.MFAUser
	const notAllowed, privileged, foreign = "False NotAllowed Stalled", "False PrivilegedAccount Stalled", "False SecretConflict Stalled"
	adopt := func(u user) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }
	always := func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways }
	none := func(*v1alpha1.MFAConnection) {}
	owner := func(_ *testWorld, u user) {
		u.Spec.DeletionPolicy, u.Spec.Access = v1alpha1.DeletionDelete, new(v1alpha1.AccessBlocked)
	}
	cases := map[string]struct {
		conn func(*v1alpha1.MFAConnection)
		try  func(w *testWorld, u user)
		want string
	}{
		"the login of an account of nobody":       {none, func(_ *testWorld, u user) { loginOf("carol@example.com")(u) }, conflict},
		"asking to adopt it":                      {none, func(_ *testWorld, u user) { loginOf("carol@example.com")(u); adopt(u) }, conflict},
		"in other case":                           {none, func(_ *testWorld, u user) { loginOf("CAROL@Example.COM")(u); adopt(u) }, conflict},
		"another's login":                         {always, func(_ *testWorld, u user) { loginOf("victim@example.com")(u); adopt(u) }, duplicate},
		"another's login in other case":           {always, func(_ *testWorld, u user) { loginOf("Victim@EXAMPLE.com")(u); adopt(u) }, duplicate},
		"another's name and login":                {always, func(_ *testWorld, u user) { u.Name = "victim"; loginOf("victim@example.com")(u) }, duplicate},
		"a look-alike gets an account of its own": {none, func(w *testWorld, u user) { loginOf("v\u0456ctim@example.com")(u); owner(w, u) }, "True Reconciled"},
		"an administrator":                        {always, func(_ *testWorld, u user) { loginOf("boss@example.com")(u); adopt(u) }, privileged},
		"an administrator, stated as one": {func(c *v1alpha1.MFAConnection) { always(c); c.Spec.Policy.Roles = nil },
			func(_ *testWorld, u user) {
				loginOf("boss@example.com")(u)
				u.Spec.Role = new(v1alpha1.RoleAdministrator)
			}, notAllowed},
		"a login outside the patterns": {none, func(_ *testWorld, u user) { loginOf("mallory@example.com.evil.org")(u) }, notAllowed},
		"power":                        {none, func(_ *testWorld, u user) { u.Spec.Role = new(v1alpha1.RoleManager) }, notAllowed},
		"power in a group":             {none, func(_ *testWorld, u user) { u.Spec.Groups = group("staff", v1alpha1.RoleManager) }, notAllowed},
		"a group":                      {none, func(_ *testWorld, u user) { u.Spec.Groups = group("board", v1alpha1.RoleUser) }, notAllowed},
		"a connection of others, Same": {func(c *v1alpha1.MFAConnection) {
			c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSame}
		},
			func(*testWorld, user) {}, notAllowed},
		"a connection of others, Selector": {none, func(w *testWorld, u user) {
			u.Namespace = strings.Replace(w.namespace, "team", "stranger", 1)
			w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: u.Namespace}})
		}, notAllowed},
		"the token's Secret for the code": {none, func(w *testWorld, u user) { u.Namespace, u.Spec.Code.SecretName = w.mfaNamespace, "token" }, foreign},
		"another user's Secret for the code": {none, func(w *testWorld, u user) {
			u.Namespace, u.Spec.Code.SecretName = w.mfaNamespace, "victim-mfa"
		}, foreign},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, tc.conn)
			mallory := w.user("mallory")
			before := w.settleEstate()
			tc.try(w, mallory)
			w.create(mallory)

			w.g.Expect(ready(w.settled(mallory).Status.Conditions)).To(Equal(tc.want))

			w.g.Expect(w.client.Delete(w.ctx, mallory)).To(Succeed())
			w.settled(mallory)
			w.tick(11 * time.Minute)
			w.g.Expect(w.estate()).To(Equal(before), "nothing of others is touched, not even when it goes")
		})
	}
}

// TestTenantForgesSecret: a Secret that pretends to hold an answer, or to be another's, fools its maker alone.
func TestTenantForgesSecret(t *testing.T) {
	cases := map[string]struct {
		ownedBy string
		want    string
	}{
		"an answer of his own":   {"mallory", "True Reconciled"},
		"the Secret of a friend": {"friend", "False SecretConflict Stalled"},
		"the Secret of nobody":   {"", "False SecretConflict Stalled"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			before := w.settleEstate()
			w.create(w.user("mallory"), w.user("friend"))
			forged := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: w.namespace, Name: "mallory-mfa", Labels: map[string]string{v1alpha1.LabelCode: v1alpha1.LabelTrue},
					Annotations: map[string]string{v1alpha1.AnnotationRequest: rules.RequestCreate},
				},
				Type: v1alpha1.SecretType,
				Data: map[string][]byte{v1alpha1.KeyCode: []byte("forged"), v1alpha1.KeyAccountID: []byte(before.victim.AccountID)},
			}
			if tc.ownedBy != "" {
				forged.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(w.get(tc.ownedBy), v1alpha1.SchemeGroupVersion.WithKind("MFAUser"))}
			}
			w.create(forged)

			w.g.Expect(ready(w.settle("mallory").Status.Conditions)).To(Equal(tc.want))
			if tc.want == "True Reconciled" {
				w.oneLiveCode("mallory")
			} else {
				w.g.Expect(w.secret("mallory").Data).To(Equal(forged.Data))
			}
			w.g.Expect(w.estate()).To(Equal(before))
		})
	}
}

// TestInheritance: an account that its MFAUser has left is inherited by nobody else, nor by who let it go on purpose.
func TestInheritance(t *testing.T) {
	type user = *v1alpha1.MFAUser
	adopt := func(u user) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }
	orphan := func(w *testWorld) {
		w.edit("alice", func(u user) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
	}
	retain := func(w *testWorld) { w.edit("alice", func(u user) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain }) }
	cases := map[string]struct {
		before func(w *testWorld)
		heir   func(w *testWorld, u user)
	}{
		"another name":                 {func(*testWorld) {}, func(_ *testWorld, u user) { u.Name = "heir"; adopt(u) }},
		"another namespace":            {func(*testWorld) {}, func(w *testWorld, u user) { u.Namespace = w.mfaNamespace; adopt(u) }},
		"orphaned, and adopted":        {orphan, func(_ *testWorld, u user) { adopt(u) }},
		"retained, and adopted":        {retain, func(_ *testWorld, u user) { adopt(u) }},
		"orphaned, from another place": {orphan, func(w *testWorld, u user) { u.Namespace = w.mfaNamespace; adopt(u) }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			tc.before(w)
			w.deleteUser("alice")
			w.tick(11 * time.Minute)
			before, issued := w.remote("alice@example.com"), w.sim.CodesIssued("alice@example.com")

			heir := w.user("alice")
			tc.heir(w, heir)
			w.create(heir)
			w.g.Expect(ready(w.settled(heir).Status.Conditions)).To(Equal(conflict))
			w.g.Expect(w.client.Delete(w.ctx, heir)).To(Succeed())
			w.settled(heir)
			w.g.Expect(w.remote("alice@example.com")).To(Equal(before))
			w.g.Expect(w.sim.CodesIssued("alice@example.com")).To(Equal(issued))
		})
	}
}

// TestNamespaceLosesItsLabel: from then on the tenant's manifests change nothing, and learn nothing of the connection.
func TestNamespaceLosesItsLabel(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	var namespace corev1.Namespace
	w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Name: w.namespace}, &namespace)).To(Succeed())
	namespace.Labels = nil
	w.g.Expect(w.client.Update(w.ctx, &namespace)).To(Succeed())
	w.sim.ResetCalls()

	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alicia") })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
	w.setToken("nonsense")
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"), "whatever state it is in")
	w.g.Expect(ready(w.apply(w.user("bob")).Status.Conditions)).To(Equal("False NotAllowed Stalled"))
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.g.Expect(w.remote("alice@example.com").FirstName).To(BeEmpty())
}
