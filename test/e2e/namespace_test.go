package e2e

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// The namespace controller deletes what a namespace holds in an order of its own, and lets nothing new be created in it.
// In each of these cases the namespace goes, and the accounts get what their manifests say.

func TestUsersNamespaceDeleted(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create(w.user("alice"), w.user("bob", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }))
	w.awaitReady("alice", "bob")
	w.deleteNamespace(w.namespace)
	w.awaitNoNamespace(w.namespace)
	w.g.Expect(w.account("alice").Blocked).To(BeTrue())
	w.g.Expect(w.account("bob").Login).To(BeEmpty())
	w.g.Expect(w.getConnection().Status.Removals).To(HaveLen(2), "the guard counts them")
}

func TestNamespaceDeletedAboveTheGuard(t *testing.T) {
	w := newWorld(t, func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(0)) })
	op := w.start()
	w.create(w.user("alice"), w.user("bob"), w.user("carol"))
	w.awaitReady("alice", "bob", "carol")
	w.deleteNamespace(w.namespace)
	for _, name := range []string{"alice", "bob", "carol"} {
		w.awaitUser(name, "False RemovalHeld")
		w.g.Expect(w.account(name).Blocked).To(BeFalse(), name)
	}
	w.g.Eventually(func() string { return w.connectionSays(v1alpha1.ConditionChangesHeld) }).Should(HavePrefix("removals held: 3, asked for in the namespaces: " + w.namespace + " (3)."))
	op.stop()

	w.start()
	edit(w, w.getConnection(), func(c *v1alpha1.MFAConnection) {
		c.Annotations = map[string]string{v1alpha1.AnnotationApproveRemovals: "3/a"}
	})
	w.awaitNoNamespace(w.namespace)
	for _, name := range []string{"alice", "bob", "carol"} {
		w.g.Expect(w.account(name).Blocked).To(BeTrue(), name)
	}
	w.g.Eventually(func() string { return w.connectionSays(v1alpha1.ConditionChangesHeld) }).Should(BeEmpty())
	w.g.Expect(w.getConnection().Status.Removals).To(HaveLen(3))
}

func TestConnectionsNamespaceDeleted(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.create(w.user("alice"), w.user("bob"))
	w.awaitReady("alice", "bob")
	w.g.Eventually(w.tokenFinalizers).Should(ConsistOf(v1alpha1.FinalizerInUse))
	w.deleteNamespace(w.mfaNamespace)
	w.g.Eventually(func() string { return w.connectionSays(v1alpha1.ConditionDeleting) }).Should(ContainSubstring(w.namespace + " (2)."))
	w.create(w.user("carol"))
	w.awaitUser("carol", "False ConnectionDeleting")

	for _, name := range []string{"alice", "bob"} {
		w.g.Expect(w.client.Delete(w.ctx, w.get(name))).To(Succeed())
	}
	w.awaitGone("alice", "bob")
	w.awaitNoNamespace(w.mfaNamespace)
	w.g.Expect(w.account("alice").Blocked).To(BeTrue())
	w.g.Expect(w.account("bob").Blocked).To(BeTrue())
	w.awaitUser("carol", "False ConnectionNotFound")
}

func TestOneNamespaceDeletedWithEverything(t *testing.T) {
	w := newWorld(t)
	w.namespace = w.mfaNamespace
	w.start()
	w.create(w.user("alice"), w.user("bob"))
	w.awaitReady("alice", "bob")
	w.g.Eventually(w.tokenFinalizers).Should(ConsistOf(v1alpha1.FinalizerInUse))
	w.deleteNamespace(w.mfaNamespace)
	w.awaitNoNamespace(w.mfaNamespace)
	w.g.Expect(w.account("alice").Blocked).To(BeTrue())
	w.g.Expect(w.account("bob").Blocked).To(BeTrue())
}

func (w *world) deleteNamespace(name string) {
	w.t.Helper()
	w.g.Expect(w.client.Delete(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
}

func (w *world) awaitNoNamespace(name string) {
	w.t.Helper()
	w.g.Eventually(func() error {
		return w.client.Get(w.ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
	}, "60s").Should(MatchError(ContainSubstring("not found")))
}

// connectionSays is the message of a condition; empty when it is not there.
func (w *world) connectionSays(kind string) string {
	if c := meta.FindStatusCondition(w.getConnection().Status.Conditions, kind); c != nil {
		return c.Message
	}
	return ""
}

func (w *world) tokenFinalizers() []string {
	secret := w.tokenSecret("")
	w.g.Expect(client.IgnoreNotFound(w.client.Get(w.ctx, client.ObjectKeyFromObject(secret), secret))).To(Succeed())
	return secret.Finalizers
}
