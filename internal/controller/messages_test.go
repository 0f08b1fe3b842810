package controller

import (
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// What a person reads has to say what to do next.

func TestMissingConnectionIsNamed(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Namespace = "" }))
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False ConnectionNotFound Reconciling"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(And(
		ContainSubstring("no MFAConnection production in the namespace "+w.namespace+";"), ContainSubstring("connectionRef"),
	))
}

func TestRivalIsNamed(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.create(w.user("second", func(u *v1alpha1.MFAUser) { u.Spec.Login = strings.ToUpper(aliceLogin) }))
	user := w.settle("second")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False DuplicateLogin Stalled"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(ContainSubstring("the MFAUser alice owns this login"))
}

// TestUnlabelledTokenSecretIsSeen: a Secret that is made after the connection, and without the label, is in no cache.
func TestUnlabelledTokenSecretIsSeen(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	w.create(w.connection())
	w.g.Expect(w.reconcileConnection()).To(Equal(time.Minute))
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("False TokenSecretNotFound Stalled"))
	secret := w.tokenSecret(w.sim.Token())
	secret.Labels = nil
	w.create(secret)
	w.reconcileConnection()
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("False TokenSecretNotLabelled Stalled"))
}

func TestUnreadableSelector(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.editConnection(func(c *v1alpha1.MFAConnection) {
		c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSelector, Selector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Is"}},
		}}
	})
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("False InvalidSpec Stalled"))
	w.g.Expect(readyOf(w.getConnection().Status.Conditions).Message).To(ContainSubstring(`"Is" is not a valid label selector operator`))
	w.create(w.user("alice"))
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("False NotAllowed Stalled"))
}

func TestWrongPathOfTheService(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	w.create(w.tokenSecret(w.sim.Token()), w.connection())
	w.putBetween(func(out http.ResponseWriter, _ *http.Request, _ http.Handler) { out.WriteHeader(http.StatusNotFound) })
	w.reconcileConnection()
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("False MalformedResponse Reconciling"))
	w.g.Expect(readyOf(w.getConnection().Status.Conditions).Message).To(And(ContainSubstring("404"), ContainSubstring("spec.url"), ContainSubstring("kubectl mfa doctor")))
}

// TestTypoKeepsTheRecord: a request by hand that can't be read says nothing about the code that was used long ago.
func TestTypoKeepsTheRecord(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusActivated)
	used := w.get("alice").Status.Code.DeepCopy()
	w.g.Expect(used.Phase).To(Equal(v1alpha1.CodeUsed))
	for _, asked := range []string{"restore/foo", "Unlock/bar"} {
		user := w.ask(asked)
		w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(user.Status.Code).To(Equal(used))
		w.g.Expect(is(v1alpha1.ConditionCodeReady)(user)).To(Equal("False CodeUsed"))
		w.g.Expect(user.Status.CodeRefusal).NotTo(BeNil())
		w.g.Expect(w.happened()).To(ContainElement("CodeRefused"))
	}
}

// TestSecretOfAnEarlierLife: a Secret that the MFAUser of the same name left behind is in nobody's use, and may be deleted.
func TestSecretOfAnEarlierLife(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "alice-mfa", OwnerReferences: []metav1.OwnerReference{{
			APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "MFAUser", Name: "alice", UID: "earlier", Controller: new(true),
		}}},
		Type: v1alpha1.SecretType,
	}, w.user("alice"))
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False SecretConflict Stalled"))
	w.g.Expect(readyOf(user.Status.Conditions).Message).To(ContainSubstring("Delete it"))
}
