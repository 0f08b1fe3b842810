package controller

import (
	"testing"
	"unsafe"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestSlimUser: users share their common words, and lose nothing that is read.
func TestSlimUser(t *testing.T) {
	g := NewWithT(t)
	made := func() *v1alpha1.MFAUser {
		return &v1alpha1.MFAUser{
			ObjectMeta: metav1.ObjectMeta{
				Name: "alice", Namespace: string([]byte("team-a")), Finalizers: []string{v1alpha1.Finalizer},
				Annotations: map[string]string{v1alpha1.AnnotationOrphan: "true"},
			},
			Status: v1alpha1.MFAUserStatus{Conditions: []metav1.Condition{{
				Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Reconciled", Message: string([]byte("as stated")),
			}}},
		}
	}
	var slim [2]*v1alpha1.MFAUser
	for n := range slim {
		fat := made()
		fat.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
		fat.Annotations[corev1.LastAppliedConfigAnnotation] = "{}"
		got, err := slimUser(fat)
		g.Expect(err).NotTo(HaveOccurred())
		slim[n] = got.(*v1alpha1.MFAUser)
		g.Expect(slim[n]).To(Equal(made()))
	}
	g.Expect(unsafe.StringData(slim[0].Namespace)).To(BeIdenticalTo(unsafe.StringData(slim[1].Namespace)))
	g.Expect(unsafe.StringData(slim[0].Status.Conditions[0].Message)).To(BeIdenticalTo(unsafe.StringData(slim[1].Status.Conditions[0].Message)))
}

// TestSlimSecret: what is left says which Secret it is and whose.
func TestSlimSecret(t *testing.T) {
	g := NewWithT(t)
	want := secretMetadata()
	want.Namespace, want.Name, want.ResourceVersion = "team-a", "alice-mfa", "7"
	want.OwnerReferences = []metav1.OwnerReference{{APIVersion: "trustbuilder-mfa.dev/v1alpha1", Kind: "MFAUser", Name: "alice", UID: "1", Controller: new(true)}}
	fat := want.DeepCopy()
	fat.Labels, fat.Annotations = map[string]string{v1alpha1.LabelCode: "true"}, map[string]string{v1alpha1.AnnotationRequest: "create"}
	fat.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	got, err := slimSecret(fat)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(want))
}
