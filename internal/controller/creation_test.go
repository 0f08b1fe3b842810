package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestCreation(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	g := w.g
	w.sim.ResetCalls()
	w.writes = map[string]int{}

	user := w.apply(w.user("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.FirstName = new("Alice")
		u.Spec.Email = new("alice@example.com")
	}))

	g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	account, ok := w.sim.Account("alice@example.com")
	g.Expect(ok).To(BeTrue())
	g.Expect(account.FirstName).To(Equal("Alice"))
	g.Expect(account.Role).To(Equal("USER"), "the role that creation alone sends")
	g.Expect(user.Status.AccountID).NotTo(BeEmpty())
	g.Expect(user.Status.State).To(Equal(v1alpha1.StatePendingActivation))
	g.Expect(user.Status.Creating).To(BeNil())
	g.Expect(user.Status.HandledCodeGeneration).To(Equal(int64(1)))
	g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))

	secret := w.secret("alice")
	g.Expect(secret).NotTo(BeNil())
	g.Expect(w.sim.Accepts(string(secret.Data[v1alpha1.KeyLink]))).To(BeTrue(), "the Secret holds the live link")
	g.Expect(secret.Data).To(HaveKeyWithValue(v1alpha1.KeyLogin, []byte("alice@example.com")))
	g.Expect(secret.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationRequest, "create"))

	g.Expect(w.sim.Calls()).To(Equal(map[string]int{"CreateAccount": 1}), "a new user costs one POST")
	g.Expect(w.writes).To(Equal(map[string]int{
		"patch *v1alpha1.MFAUser": 1, "patch *v1alpha1.MFAUser/status": 2, "apply": 1,
		"patch *v1alpha1.MFAConnection": 1, "patch *v1.PartialObjectMetadata": 1,
	}), "and four writes; the first of a connection keeps that and its token")
	w.writes = map[string]int{}
	w.apply(w.user("bob"))
	g.Expect(w.writes).To(Equal(map[string]int{
		"patch *v1alpha1.MFAUser": 1, "patch *v1alpha1.MFAUser/status": 2, "apply": 1,
	}), "four and no more")
}

func TestEnrollmentWipesTheCode(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	g := w.g
	w.apply(w.user("bob"))
	g.Expect(w.sim.UseCode(string(w.secret("bob").Data[v1alpha1.KeyLink]))).To(Succeed())

	w.tick(11 * time.Minute)
	user := w.settle("bob")

	g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated))
	g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
	g.Expect(condition(user.Status.Conditions, v1alpha1.ConditionEnrolled).Reason).To(Equal(v1alpha1.ReasonEnrolled))
	g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	data := w.secret("bob").Data
	g.Expect(data).NotTo(HaveKey(v1alpha1.KeyCode))
	g.Expect(data).NotTo(HaveKey(v1alpha1.KeyLink))
	g.Expect(data).To(HaveKeyWithValue(v1alpha1.KeyState, []byte(v1alpha1.StateActivated)))
}
