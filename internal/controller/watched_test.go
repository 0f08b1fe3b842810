package controller

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// watchOnly makes the operator one that watches these namespaces. Like its cache, it fails at whatever it asks of another,
// and it may not see namespaces.
func (w *testWorld) watchOnly(namespaces ...string) {
	refuse := func(namespace string) error {
		if !slices.Contains(namespaces, namespace) {
			return errors.New("a namespace that the cache does not know: " + namespace)
		}
		return nil
	}
	limited := interceptor.NewClient(w.client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if err := refuse(key.Namespace); err != nil {
				return err
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	w.users.client, w.users.live, w.users.secrets = limited, limited, limited
	w.users.opts.Namespaces = namespaces
}

func (w *testWorld) message(name string) string {
	return readyOf(w.settle(name).Status.Conditions).Message
}

// TestConnectionInUnwatchedNamespace: a manifest that refers to one is told what to do, and nothing of it is tried for ever.
func TestConnectionInUnwatchedNamespace(t *testing.T) {
	const notWatched = "False NamespaceNotWatched Stalled"
	t.Run("a new user", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		w.watchOnly(w.namespace)
		w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal(notWatched))
		w.g.Expect(w.message("alice")).To(And(ContainSubstring("--watch-namespaces"), Not(ContainSubstring("orphan"))))
		w.g.Expect(w.remoteWrites()).To(BeZero())
		w.g.Expect(w.client.Delete(w.ctx, w.user("alice"))).To(Succeed())
		w.g.Expect(w.settle("alice").Name).To(BeEmpty(), "without an account it just goes")
	})
	t.Run("a user with an account", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		w.apply(w.user("alice"))
		w.watchOnly(w.namespace)
		w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal(notWatched))
		w.g.Expect(w.client.Delete(w.ctx, w.user("alice"))).To(Succeed())
		w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal(notWatched))
		w.g.Expect(w.message("alice")).To(ContainSubstring(`trustbuilder-mfa.dev/orphan: "true"`), "the way out")
		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
		w.g.Expect(w.settle("alice").Name).To(BeEmpty())
		w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())
	})
	t.Run("it wakes no connection there", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		w.g.Expect(w.connections.connectionOfUser(w.ctx, w.user("alice"))).To(HaveLen(1))
		w.watchOnly(w.namespace)
		w.g.Expect(w.connections.connectionOfUser(w.ctx, w.user("alice"))).To(BeEmpty())
	})
	t.Run("it keeps nobody from a login", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		mallory := w.user("mallory", loginOf("alice@example.com"), func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Namespace = "elsewhere" })
		w.create(mallory)
		mallory.Status.AccountID = "999" // as old as alice or not, this one goes first
		w.g.Expect(w.client.Status().Update(w.ctx, mallory)).To(Succeed())
		w.watchOnly(w.namespace, w.mfaNamespace)
		w.editConnection(func(c *v1alpha1.MFAConnection) {
			c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll}
		})
		w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))
	})
}

// TestSelectorOfWatchedNamespaces: labels can't be read; names need not be.
func TestSelectorOfWatchedNamespaces(t *testing.T) {
	const unusable = "False SelectorUnusable Stalled"
	byName := func(names ...string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: names},
		}}
	}
	byLabel := &metav1.LabelSelector{MatchLabels: map[string]string{"world": "1"}}
	without := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "foreign", Operator: metav1.LabelSelectorOpDoesNotExist}}}
	both := byName("team")
	both.MatchLabels = byLabel.MatchLabels
	cases := map[string]struct {
		selector         func(w *testWorld) *metav1.LabelSelector
		connection, user string
	}{
		"a label":       {func(*testWorld) *metav1.LabelSelector { return byLabel }, unusable, unusable},
		"also a label":  {func(*testWorld) *metav1.LabelSelector { return both }, unusable, unusable},
		"no such label": {func(*testWorld) *metav1.LabelSelector { return without }, unusable, unusable},
		"the name":      {func(w *testWorld) *metav1.LabelSelector { return byName("other", w.namespace) }, "True Reconciled", "True Reconciled"},
		"another name":  {func(*testWorld) *metav1.LabelSelector { return byName("other") }, "True Reconciled", "False NotAllowed Stalled"},
		"all":           {func(*testWorld) *metav1.LabelSelector { return &metav1.LabelSelector{} }, "True Reconciled", "True Reconciled"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.watchOnly(w.namespace, w.mfaNamespace)
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.AllowedNamespaces.Selector = tc.selector(w) })
			w.reconcileConnection()
			w.g.Expect(ready(w.getConnection().Status.Conditions)).To(Equal(tc.connection))
			w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal(tc.user))
			if tc.user == unusable {
				w.g.Expect(w.message("alice")).To(ContainSubstring("kubernetes.io/metadata.name"))
				w.g.Expect(w.remoteWrites()).To(BeZero())
			}
		})
	}
}

// TestSelectorBecomesUnusable: what was made while the labels could be read is still removed as its policy says.
func TestSelectorBecomesUnusable(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.watchOnly(w.namespace, w.mfaNamespace)
	result, err := w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(w.getConnection())})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(result.RequeueAfter).To(BeNumerically(">", time.Second), "no loop")
	w.g.Expect(ready(w.getConnection().Status.Conditions)).To(Equal("False SelectorUnusable Stalled"))
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False SelectorUnusable Stalled"))

	w.g.Expect(w.client.Delete(w.ctx, w.user("alice"))).To(Succeed())
	w.g.Expect(w.settle("alice").Name).To(BeEmpty())
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
}
