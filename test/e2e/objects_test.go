package e2e

import (
	"fmt"
	"strings"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

const (
	connectionName  = "production"
	tokenSecretName = "token"
)

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		w.g.Expect(w.client.Create(w.ctx, object)).To(Succeed())
	}
}

// tokenSecret holds the token under the name that the connection asks for.
func (w *world) tokenSecret(token string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: tokenSecretName, Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue}},
		Data:       map[string][]byte{"token": []byte(token)},
	}
}

// connection allows the world's users what a connection usually allows, at a rate that never waits.
func (w *world) connection(edits ...func(*v1alpha1.MFAConnection)) *v1alpha1.MFAConnection {
	_, number, _ := strings.Cut(w.namespace, "-")
	conn := &v1alpha1.MFAConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: connectionName},
		Spec: v1alpha1.MFAConnectionSpec{
			URL: w.url, CABundle: w.ca,
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: tokenSecretName},
			ResyncInterval: metav1.Duration{Duration: interval},
			RateLimit:      v1alpha1.RateLimit{RequestsPerSecond: 10000, Burst: 10000},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{
				From: v1alpha1.FromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"world": number}},
			},
			Policy: v1alpha1.ConnectionPolicy{LoginPatterns: []string{"*@example.com"}, Groups: []string{"staff*"}, Adoption: v1alpha1.ConnectionAdoptionAllow},
		},
	}
	for _, edit := range edits {
		edit(conn)
	}
	return conn
}

// user is an MFAUser with a login of its name.
func (w *world) user(name string, edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
	user := &v1alpha1.MFAUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.MFAUserSpec{
			ConnectionRef: v1alpha1.ConnectionReference{Name: connectionName, Namespace: w.mfaNamespace},
			Login:         loginOf(name),
		},
	}
	for _, edit := range edits {
		edit(user)
	}
	return user
}

func loginOf(name string) string { return name + "@example.com" }

// get returns a user as it is now; one without a name when it is gone.
func (w *world) get(name string) *v1alpha1.MFAUser {
	var user v1alpha1.MFAUser
	err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, &user)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	return &user
}

func (w *world) getConnection() *v1alpha1.MFAConnection {
	var conn v1alpha1.MFAConnection
	err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.mfaNamespace, Name: connectionName}, &conn)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	return &conn
}

// secret returns the user's code Secret, empty when there is none.
func (w *world) secret(name string) *corev1.Secret {
	var secret corev1.Secret
	err := w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name + "-mfa"}, &secret)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	return &secret
}

// edit changes a manifest or any other object by a merge patch without a lock, as a person would.
func edit[T client.Object](w *world, object T, change func(T)) {
	w.t.Helper()
	base := object.DeepCopyObject().(T)
	change(object)
	w.g.Expect(w.client.Patch(w.ctx, object, client.MergeFrom(base))).To(Succeed())
}

// awaitReady waits until the manager has done what the users' newest manifests ask.
func (w *world) awaitReady(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.awaitUser(name, "True Reconciled")
	}
}

// awaitUser waits for the reason of Ready to speak of the newest manifest.
func (w *world) awaitUser(name, want string) {
	w.t.Helper()
	w.g.Eventually(func() string {
		user := w.get(name)
		return readiness(user.Generation, user.Status.ObservedGeneration, user.Status.Conditions)
	}).Should(Equal(want), "Ready of %s", name)
}

func (w *world) awaitConnection(want string) {
	w.t.Helper()
	w.g.Eventually(func() string {
		conn := w.getConnection()
		return readiness(conn.Generation, conn.Status.ObservedGeneration, conn.Status.Conditions)
	}).Should(Equal(want), "Ready of the connection")
}

// awaitGone waits until a deleted user has been let go.
func (w *world) awaitGone(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.g.Eventually(func() string { return w.get(name).Name }).Should(BeEmpty(), name)
	}
}

// readiness is "<status> <reason>" of the Ready condition, if it speaks of the newest manifest.
func readiness(generation, observed int64, conditions []metav1.Condition) string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil || generation != observed {
		return "not looked at yet"
	}
	return fmt.Sprintf("%s %s", ready.Status, ready.Reason)
}
