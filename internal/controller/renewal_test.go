package controller

import (
	"context"
	"io"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRenewalAfterALostAnswer: the end of the old code that had no answer from the API server holds the next one up by a moment alone.
func TestRenewalAfterALostAnswer(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Renewal = v1alpha1.RenewalWhenExpired })
	w.clock.Step(21*24*time.Hour + time.Minute) // and no listing shows yet that the account has expired
	lost := 0
	w.users.client = interceptor.NewClient(w.client, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			err := c.Apply(ctx, o, opts...)
			if lost++; lost == 1 {
				return io.ErrUnexpectedEOF
			}
			return err
		},
	})
	result, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
	w.g.Expect(result.RequeueAfter).To(BeNumerically("<", time.Second))
	_, err = w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.get("alice").Status.Code.Request).To(Equal("renewal/1/1"))
	w.oneLiveCode("alice")
}

// TestRenewalIsNotLost: neither a block that the listing does not show yet nor a refused request by hand ends renewals.
func TestRenewalIsNotLost(t *testing.T) {
	daily := func(c *v1alpha1.MFAConnection) { c.Spec.ResyncInterval.Duration = 24 * time.Hour }
	cases := map[string]func(w *testWorld){
		"blocked a moment ago": func(w *testWorld) {
			w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.Blocked = true })).To(Succeed())
			_, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(w.get("alice").Status.CodeRefusal).To(BeNil(), "nobody has asked")
			w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.Blocked = false })).To(Succeed())
		},
		"refused by hand": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) {
				u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: "Unlock/1"}
			})
		},
	}
	for name, meanwhile := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, daily)
			w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Renewal = v1alpha1.RenewalWhenExpired })
			w.clock.Step(21*24*time.Hour + time.Minute)
			w.reconcileConnection()
			meanwhile(w)
			w.drive(49*time.Hour, "alice")
			w.g.Expect(w.get("alice").Status.Code.Request).To(Equal("renewal/1/1"))
			w.oneLiveCode("alice")
		})
	}
}

// TestRenewal: an enrolment code that runs out unused is replaced, five times, and no other code is.
func TestRenewal(t *testing.T) {
	renewing := func(u *v1alpha1.MFAUser) { u.Spec.Code.Renewal = v1alpha1.RenewalWhenExpired }
	daily := func(c *v1alpha1.MFAConnection) { c.Spec.ResyncInterval.Duration = 24 * time.Hour }
	t.Run("five times", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{}, daily)
		w.inState(mfasim.StatusPending, renewing)
		for n := range 7 {
			w.drive(21*24*time.Hour, "alice")
			want := min(n+1, 5)
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1+want), "after %d lives", n+1)
		}
		code := w.get("alice").Status.Code
		w.g.Expect(code.Request).To(Equal("renewal/1/5"))
		w.g.Expect(code.Phase).To(Equal(v1alpha1.CodeExpired))
		w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))

		w.raise()
		w.oneLiveCode("alice")
		w.drive(21*24*time.Hour, "alice")
		w.g.Expect(w.get("alice").Status.Code.Request).To(Equal("renewal/2/1"), "a new generation has renewals of its own")
		w.oneLiveCode("alice")
	})
	cases := map[string]func(w *testWorld){
		"asked for by hand": func(w *testWorld) { w.inState(mfasim.StatusPending, renewing); w.ask("Enrollment/x") },
		"switched on": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing, func(u *v1alpha1.MFAUser) {
				u.Spec.Code.Type, u.Spec.Code.Activation = v1alpha1.CodeInactive, v1alpha1.ActivationNow
			})
		},
		"used": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
		},
		"its Secret deleted": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.deleteObject(w.secret("alice"))
		},
		"blocked": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.console(aliceLogin, func(a *mfasim.Account) { a.Blocked = true })
		},
		"suspended": func(w *testWorld) {
			w.inState(mfasim.StatusPending, renewing)
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true })
		},
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, daily)
			make(w)
			issued := w.sim.CodesIssued(aliceLogin)
			w.drive(22*24*time.Hour, "alice")
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(issued))
		})
	}
}

// TestRenamedAfterANewCode: the state before the code is the last that is known of an account which was renamed since, and is not
// taken for one that came after it.
func TestRenamedAfterANewCode(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusExpired)
	w.g.Expect(w.raise().Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.console(aliceLogin, func(a *mfasim.Account) { a.Login = "renamed@example.com" })
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False IdentityMismatch Stalled"))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.g.Expect(w.secret("alice").Data).To(HaveKey(v1alpha1.KeyLink))
}
