package controller

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRestoreFromBackup: manifests that come back without status, with or without their Secrets, get nothing issued and
// nobody mailed; the accounts are taken up by the adoption rules.
func TestRestoreFromBackup(t *testing.T) {
	for name, withSecret := range map[string]bool{"with Secrets": true, "without Secrets": false} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending, delivered(v1alpha1.DeliverySecretAndEmail), func(u *v1alpha1.MFAUser) {
				u.Spec.Code.Generation = new(int64(3))
				u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: "Enrollment/old"}
			})
			link := w.secret("alice").Data[v1alpha1.KeyLink]
			restored := w.user("alice", func(u *v1alpha1.MFAUser) {
				u.Spec = w.get("alice").Spec
				u.Annotations, u.Finalizers = w.get("alice").Annotations, w.get("alice").Finalizers
			})
			secret := &corev1.Secret{Type: v1alpha1.SecretType, Data: w.secret("alice").Data, ObjectMeta: *w.secret("alice").ObjectMeta.DeepCopy()}
			secret.ResourceVersion, secret.UID, secret.OwnerReferences = "", "", nil
			w.loseCluster("alice")

			if withSecret {
				w.create(secret)
			}
			w.startOperator()
			w.reconcileConnection()
			w.g.Expect(ready(w.apply(restored).Status.Conditions)).To(Equal(conflict), "not without the owner's word")
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAlways })
			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.HandledCodeGeneration).To(Equal(int64(3)))
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1))
			w.g.Expect(w.sim.Outbox()).To(HaveLen(1))
			w.g.Expect(w.sim.Accepts(string(link))).To(BeTrue(), "the link that the person has still works")
			w.g.Expect(w.remoteWrites()).To(BeZero())
			w.g.Expect(w.sim.Calls()).NotTo(HaveKey(http.MethodPost))
		})
	}
}

// loseCluster makes a manifest and its Secret disappear without the operator seeing it.
func (w *testWorld) loseCluster(name string) {
	w.t.Helper()
	if secret := w.secret(name); secret != nil {
		w.deleteObject(secret)
	}
	w.edit(name, func(u *v1alpha1.MFAUser) { u.Finalizers = nil })
	w.deleteObject(w.get(name))
}
