package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// exists tells whether an object is in the cluster, and reads it.
func (w *testWorld) exists(object client.Object) bool {
	w.t.Helper()
	err := w.client.Get(w.ctx, client.ObjectKeyFromObject(object), object)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	return err == nil
}

// kept are the finalizers of the connection and of the token Secret.
func (w *testWorld) kept() (connection, token []string) {
	w.t.Helper()
	conn, secret := w.connection(), w.tokenSecret("")
	w.exists(conn)
	w.exists(secret)
	return conn.Finalizers, secret.Finalizers
}

func (w *testWorld) expectKept(want bool) {
	w.t.Helper()
	finalizers := BeEmpty()
	if want {
		finalizers = ConsistOf(v1alpha1.FinalizerInUse)
	}
	connection, token := w.kept()
	w.g.Expect(connection).To(finalizers, "the connection")
	w.g.Expect(token).To(finalizers, "its token")
}

func (w *testWorld) deleting() string {
	w.t.Helper()
	return condition(w.getConnection().Status.Conditions, v1alpha1.ConditionDeleting).Message
}

// TestInUse: the first user that holds an account keeps the connection and its token; that costs one write each, once.
func TestInUse(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(w.user("olga", func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }))
	w.create(w.user("mallory", loginOf("mallory@example.org"), func(u *v1alpha1.MFAUser) { u.Finalizers = []string{v1alpha1.Finalizer} }))
	w.drive(time.Hour, "olga", "mallory")
	w.expectKept(false)

	before := w.tokenSecret("")
	w.exists(before)
	w.create(w.user("alice"))
	w.drive(time.Minute, "alice")
	w.expectKept(true)
	after := w.tokenSecret("")
	w.exists(after)
	w.g.Expect(after.Data).To(Equal(before.Data))
	w.g.Expect(after.Labels).To(Equal(before.Labels))

	w.drive(2*time.Minute, "alice") // the counts
	w.writes = map[string]int{}
	w.drive(time.Hour, "alice")
	w.startOperator()
	w.drive(time.Hour, "alice")
	w.g.Expect(w.writes).To(BeEmpty(), "neither a steady state nor a restart writes")

	w.remove("alice")
	w.drive(time.Hour, "alice")
	w.expectKept(false)
	w.writes = map[string]int{}
	w.drive(time.Hour)
	w.g.Expect(w.writes).To(BeEmpty())
	w.create(w.user("bob"))
	w.drive(time.Minute, "bob")
	w.expectKept(true)
}

// TestConnectionDeletedFirst: it stays and works until its users have let go, and then goes by itself.
func TestConnectionDeletedFirst(t *testing.T) {
	users := []string{"alice", "bob", "carol"}
	deleted := func(t *testing.T) *testWorld {
		w := newTestWorld(t, mfasim.Options{})
		w.apply(w.user("alice"))
		w.apply(w.user("bob"))
		w.deleteObject(w.getConnection())
		w.drive(time.Minute, users...)
		return w
	}
	goes := func(w *testWorld) {
		w.t.Helper()
		w.g.Expect(w.exists(w.connection())).To(BeFalse())
		_, token := w.kept()
		w.g.Expect(token).To(BeEmpty())
	}
	t.Run("its users go one after another", func(t *testing.T) {
		w := deleted(t)
		w.g.Expect(w.deleting()).To(HavePrefix("MFAUsers that still hold accounts through this connection: 2, in the namespaces: " + w.namespace + " (2)."))
		w.g.Expect(w.deleting()).To(ContainSubstring(v1alpha1.AnnotationOrphan))
		w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
		w.remove("alice")
		w.drive(time.Minute, users...)
		w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
		w.g.Expect(w.deleting()).To(ContainSubstring(": 1, "))
		w.expectKept(true)
		w.startOperator()
		w.drive(time.Minute, users...)
		w.remove("bob")
		w.drive(time.Minute, users...)
		w.g.Expect(w.remote("bob@example.com").Blocked).To(BeTrue())
		goes(w)
	})
	t.Run("nothing new is made through it", func(t *testing.T) {
		w := deleted(t)
		w.sim.Seed(mfasim.Account{Login: "dave@example.com"})
		w.create(w.user("carol"))
		w.create(w.user("dave", func(u *v1alpha1.MFAUser) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }))
		w.drive(time.Minute, "alice", "bob", "carol", "dave")
		for _, name := range []string{"carol", "dave"} {
			w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("False ConnectionDeleting Reconciling"), name)
			w.g.Expect(w.get(name).Finalizers).To(BeEmpty(), name)
			w.g.Expect(w.get(name).Status.AccountID).To(BeEmpty(), name)
		}
		w.remove("alice", "bob")
		w.drive(time.Minute, users...)
		goes(w)
		w.create(w.connection())
		w.drive(time.Minute, users...)
		w.g.Expect(ready(w.get("carol").Status.Conditions)).To(Equal("True Reconciled"))
	})
	t.Run("with its token", func(t *testing.T) {
		w := deleted(t)
		w.deleteObject(w.tokenSecret(""))
		w.startOperator()
		w.drive(time.Minute, users...)
		w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
		w.remove("alice", "bob")
		w.drive(time.Minute, users...)
		w.g.Expect(w.remote("bob@example.com").Blocked).To(BeTrue())
		goes(w)
		w.g.Expect(w.exists(w.tokenSecret(""))).To(BeFalse())
	})
	t.Run("with an outage in between", func(t *testing.T) {
		w := deleted(t)
		w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
		w.remove("alice", "bob")
		w.drive(2*time.Hour, users...)
		w.expectKept(true)
		w.sim.ClearFaults()
		w.drive(time.Hour, users...)
		goes(w)
		w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
	})
}

// TestConnectionOrphansItsUsers: with the annotation a deleted connection lets all its users go, and no call is made. They
// stay, and know their accounts.
func TestConnectionOrphansItsUsers(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	alice := w.apply(w.user("alice"))
	for _, name := range []string{"bob", "carol"} {
		w.apply(w.user(name))
	}
	w.edit("bob", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true })
	w.settle("bob")
	w.remove("carol")
	w.annotateConnection(v1alpha1.AnnotationOrphan, "true")
	w.deleteObject(w.getConnection())
	w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
	w.sim.ResetCalls()
	w.drive(time.Minute, "alice", "bob", "carol")

	w.g.Expect(w.exists(w.connection())).To(BeFalse())
	w.g.Expect(w.remoteWrites()).To(BeZero())
	w.g.Expect(w.remote("carol@example.com").Blocked).To(BeFalse())
	w.g.Expect(w.get("carol").Name).To(BeEmpty(), "deleted, and let go")
	for _, name := range []string{"alice", "bob"} {
		w.g.Expect(w.get(name).Finalizers).To(BeEmpty(), name)
		w.g.Expect(w.get(name).Name).NotTo(BeEmpty(), name)
	}
	w.g.Expect(w.get("alice").Status).To(Equal(alice.Status), "it says nothing new")

	w.sim.ClearFaults()
	w.create(w.connection())
	w.drive(time.Minute, "alice")
	w.g.Expect(w.get("alice").Finalizers).To(ConsistOf(v1alpha1.Finalizer))
	w.g.Expect(w.get("alice").Status.AccountID).To(Equal(alice.Status.AccountID))
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.expectKept(true)
}

// TestHoldWithoutFinalizer: a user that holds an account gets its finalizer back whatever stands against its manifest, so that
// its account goes with it.
func TestHoldWithoutFinalizer(t *testing.T) {
	cases := map[string]struct {
		conn func(c *v1alpha1.MFAConnection)
		user func(u *v1alpha1.MFAUser)
		want string
		held bool
	}{
		"as before":           {nil, nil, "True Reconciled", true},
		"a login not allowed": {func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} }, nil, "False NotAllowed Stalled", true},
		"a namespace not allowed": {func(c *v1alpha1.MFAConnection) {
			c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSame}
		}, nil, "False NotAllowed Stalled", true},
		"one that only observes": {nil, func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }, "True Reconciled", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			w.annotateConnection(v1alpha1.AnnotationOrphan, "true")
			w.deleteObject(w.getConnection())
			w.drive(time.Minute, "alice")
			w.g.Expect(w.get("alice").Finalizers).To(BeEmpty())

			conn := w.connection()
			if tc.conn != nil {
				tc.conn(conn)
			}
			if tc.user != nil {
				w.edit("alice", tc.user)
			}
			w.create(conn)
			w.drive(time.Minute, "alice")
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal(tc.want))
			w.expectKept(tc.held)
			w.remove("alice")
			w.drive(time.Minute, "alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.remote("alice@example.com").Blocked).To(Equal(tc.held))
		})
	}
}

// TestTokenSecretInUse: it stays while somebody may need it, and not longer.
func TestTokenSecretInUse(t *testing.T) {
	inUse := func(t *testing.T) *testWorld {
		w := newTestWorld(t, mfasim.Options{})
		w.apply(w.user("alice"))
		w.expectKept(true)
		return w
	}
	second := func(w *testWorld) *corev1.Secret {
		secret := w.tokenSecret(w.sim.Token())
		secret.Name = "second"
		return secret
	}
	t.Run("deleted first", func(t *testing.T) {
		w := inUse(t)
		w.deleteObject(w.tokenSecret(""))
		w.reconcileConnection()
		w.g.Expect(condition(w.getConnection().Status.Conditions, v1alpha1.ConditionTokenValid).Message).To(ContainSubstring("is being deleted"))
		w.remove("alice")
		w.drive(time.Minute, "alice")
		w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
		w.g.Expect(w.exists(w.tokenSecret(""))).To(BeFalse(), "the last user has gone")
		w.g.Expect(w.exists(w.connection())).To(BeTrue())
	})
	t.Run("replaced by another", func(t *testing.T) {
		w := inUse(t)
		w.create(second(w))
		w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.TokenSecretRef.Name = "second" })
		_, token := w.kept()
		w.g.Expect(token).To(BeEmpty())
		other := second(w)
		w.exists(other)
		w.g.Expect(other.Finalizers).To(ConsistOf(v1alpha1.FinalizerInUse))
	})
	t.Run("shared by two connections", func(t *testing.T) {
		w := inUse(t)
		other := w.connection()
		other.Name = "other"
		w.create(other)
		w.reconcileNamed("other")
		w.apply(w.user("bob", func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "other" }))
		w.deleteObject(other)
		w.reconcileNamed("other")
		w.deleteObject(w.getConnection())
		w.remove("alice")
		w.drive(time.Minute, "alice")
		w.g.Expect(w.exists(w.connection())).To(BeFalse())
		_, token := w.kept()
		w.g.Expect(token).To(ConsistOf(v1alpha1.FinalizerInUse), "bob needs it still")
		w.deleteUser("bob")
		w.g.Expect(w.remote("bob@example.com").Blocked).To(BeTrue())
		w.reconcileNamed("other")
		w.g.Expect(w.exists(other)).To(BeFalse())
		_, token = w.kept()
		w.g.Expect(token).To(BeEmpty())
	})
	t.Run("the one before can't be let go at once", func(t *testing.T) {
		w := inUse(t)
		w.create(second(w))
		w.connections.client = interceptor.NewClient(w.client, interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				if o.GetName() == w.tokenSecret("").Name {
					return errRefused
				}
				return c.Patch(ctx, o, p, opts...)
			},
		})
		conn := w.getConnection()
		conn.Spec.TokenSecretRef.Name = "second"
		w.g.Expect(w.client.Update(w.ctx, conn)).To(Succeed())
		_, err := w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(conn)})
		w.g.Expect(err).To(MatchError(errRefused))
		w.connections.client = w.client
		w.reconcileConnection()
		_, token := w.kept()
		w.g.Expect(token).To(BeEmpty())
	})
	t.Run("without a label it is nobody's token", func(t *testing.T) {
		w := inUse(t)
		foreign := second(w)
		foreign.Labels = nil
		w.create(foreign)
		w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.TokenSecretRef.Name = "second" })
		w.exists(foreign)
		w.g.Expect(foreign.Finalizers).To(BeEmpty())
	})
	t.Run("others' finalizers stay", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		theirs := w.tokenSecret("")
		w.exists(theirs)
		theirs.Finalizers = []string{"example.com/theirs"}
		w.g.Expect(w.client.Update(w.ctx, theirs)).To(Succeed())
		t.Cleanup(func() { w.force(theirs) })
		w.apply(w.user("alice"))
		w.exists(theirs)
		w.g.Expect(theirs.Finalizers).To(ConsistOf("example.com/theirs", v1alpha1.FinalizerInUse))
		w.deleteObject(w.getConnection())
		w.remove("alice")
		w.drive(time.Minute, "alice")
		w.exists(theirs)
		w.g.Expect(theirs.Finalizers).To(ConsistOf("example.com/theirs"))
	})
	t.Run("its connection was made to go by force", func(t *testing.T) {
		w := inUse(t)
		conn := w.getConnection()
		w.deleteObject(conn)
		w.force(conn)
		w.reconcileConnection()
		_, token := w.kept()
		w.g.Expect(token).To(BeEmpty())
	})
}

// TestRemovalInTerminatingNamespace: where nothing can be written but finalizers, a removal ends all the same.
func TestRemovalInTerminatingNamespace(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.remove("alice")
	w.users.client = refusing(w.client)
	w.settle("alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty())
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
}

// TestNewsForConnection: of all that happens to users, a connection hears of what it has to do something about.
func TestNewsForConnection(t *testing.T) {
	key := types.NamespacedName{Namespace: "n", Name: "c"}
	user := func(holds, held bool) *v1alpha1.MFAUser {
		u := &v1alpha1.MFAUser{}
		if holds {
			u.Finalizers, u.Status.AccountID = []string{v1alpha1.Finalizer}, "1"
		}
		if held {
			newScope(u, time.Now()).mark(v1alpha1.ConditionReady, "False", v1alpha1.ReasonRemovalHeld, "")
		}
		return u
	}
	none, holds, held := user(false, false), user(true, false), user(true, true)
	forged, watches, making := holds.DeepCopy(), holds.DeepCopy(), holds.DeepCopy()
	forged.Status.AccountID, watches.Finalizers = "", nil
	making.Status = v1alpha1.MFAUserStatus{Creating: &v1alpha1.CreationIntent{}}
	cases := map[string]struct {
		before, after *v1alpha1.MFAUser
		kept, leaving bool
		want          bool
	}{
		"the first":                       {none, holds, false, false, true},
		"the first that makes one":        {none, making, false, false, true},
		"one with a finalizer alone":      {none, forged, false, false, false},
		"one that only observes":          {none, watches, false, false, false},
		"another":                         {none, holds, true, false, false},
		"one goes":                        {holds, none, true, false, false},
		"one goes that was waited for":    {holds, none, true, true, true},
		"one comes, which matters less":   {none, holds, true, true, false},
		"nothing that matters":            {holds, holds, false, true, false},
		"a removal begins to be held":     {holds, held, true, false, true},
		"a removal is held no more":       {held, holds, true, false, true},
		"it is held as it was":            {held, held, true, true, false},
		"one whose removal was held goes": {held, none, true, false, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			w.connections = newRegistry(w)
			w.connections.byKey[key] = &connection{kept: tc.kept, leaving: tc.leaving}
			NewWithT(t).Expect(w.newsForConnection(key, tc.before, tc.after)).To(Equal(tc.want))
		})
	}
}

var errRefused = errors.New("refused by the test")
