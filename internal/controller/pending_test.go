package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRequestDuringAnother: what is asked for while an earlier request has no answer yet has its turn after it, and is not
// taken for it.
func TestRequestDuringAnother(t *testing.T) {
	generation := func(g int64) func(*v1alpha1.MFAUser) {
		return func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(g) }
	}
	byHand := func(value string) func(*v1alpha1.MFAUser) {
		return func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: value} }
	}
	cases := map[string]struct {
		first, second func(*v1alpha1.MFAUser)
		want          string
	}{
		"generation after generation": {generation(2), generation(3), "generation/3"},
		"annotation after annotation": {byHand("Enrollment/a"), byHand("Enrollment/b"), "annotation/b"},
		"annotation after generation": {generation(2), byHand("Enrollment/a"), "annotation/a"},
		"generation after annotation": {byHand("Enrollment/a"), generation(2), "generation/2"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending)
			w.sim.SetFault(mfasim.Fault{Operation: "IssueCode", Kind: mfasim.FaultResetAfter, Count: 1})
			w.edit("alice", tc.first)
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.g.Expect(w.get("alice").Status.Code.Pending).NotTo(BeNil())

			w.edit("alice", tc.second)
			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.Code.Request).To(Equal(tc.want))
			w.g.Expect(w.sim.Calls()["IssueCode"]).To(Equal(3), "lost, once more, and the second request")
			w.oneLiveCode("alice")
		})
	}
}

// TestRefusedAfterAnotherWasStated: the refusal of a request that had no answer is not one of what is asked for since.
func TestRefusedAfterAnotherWasStated(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPINBlocked)
	w.sim.SetFault(mfasim.Fault{Operation: "IssueCode", Kind: mfasim.FaultResetAfter, Count: 1})
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.Code.Generation, u.Spec.Code.Purpose = new(int64(2)), v1alpha1.PurposeUnlock
	})
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	w.console(aliceLogin, func(a *mfasim.Account) { a.Status = mfasim.StatusActivated })
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.Code.Generation, u.Spec.Code.Purpose = new(int64(3)), v1alpha1.PurposeAddDevice
	})
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.Code.Request).To(Equal("generation/3"))
	w.oneLiveCode("alice")
}

// TestManifestEditedDuringCreation: the pass that made the account and stored its code loses the lock on status. The code
// in the Secret is the answer, whatever the manifest says by then of the next one.
func TestManifestEditedDuringCreation(t *testing.T) {
	cases := map[string]func(*v1alpha1.MFAUser){
		"mailed from now on": delivered(v1alpha1.DeliveryEmail),
		"another type":       func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeShort },
		"no code any more":   func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(0)) },
		"another name":       func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "CreateAccount" && phase == mfasim.After {
					w.edit("alice", edit)
				}
			})
			w.create(w.user("alice"))
			_, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.sim.OnCall(nil)
			w.g.Expect(w.get("alice").Status.Creating).NotTo(BeNil(), "the lock was lost")
			w.clock.Step(time.Second)
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.Code).To(HaveValue(And(HaveField("Request", "create"), HaveField("Type", v1alpha1.CodeLink), HaveField("SecretRef", Not(BeNil())))))
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1), "nothing is asked for again")
			w.oneLiveCode("alice")
		})
	}
}

// TestRequestDuringCreation: what is asked for while the account is being made is not answered by the code that comes with it,
// unless that one was seen by nobody and is asked for once more.
func TestRequestDuringCreation(t *testing.T) {
	byHand := func(u *v1alpha1.MFAUser) {
		u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: "Enrollment/a"}
	}
	cases := map[string]struct {
		edit   func(*v1alpha1.MFAUser)
		lost   bool
		want   string
		issued int
		mails  int
	}{
		"a generation":                   {secondCode, false, "generation/2", 2, 0},
		"by hand":                        {byHand, false, "annotation/a", 2, 0},
		"a generation, by mail":          {func(u *v1alpha1.MFAUser) { secondCode(u); delivered(v1alpha1.DeliveryEmail)(u) }, false, "generation/2", 2, 1},
		"a generation, the answer lost":  {secondCode, true, "create", 2, 0},
		"by hand, the answer lost":       {byHand, true, "create", 2, 0},
		"by mail, and the answer lost":   {func(u *v1alpha1.MFAUser) { secondCode(u); delivered(v1alpha1.DeliveryEmail)(u) }, true, "create", 2, 1},
		"nothing":                        {rename, false, "create", 1, 0},
		"no code, and the answer lost":   {withoutCode, true, "", 1, 0},
		"no code, and the answer stored": {withoutCode, false, "create", 1, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "CreateAccount" && phase == mfasim.After {
					w.edit("alice", tc.edit)
				}
			})
			if tc.lost {
				w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
			}
			w.create(w.user("alice"))
			_, _ = w.pass("alice")
			w.sim.OnCall(nil)
			w.g.Expect(w.get("alice").Status.Creating).NotTo(BeNil())
			w.clock.Step(time.Second)
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			if tc.want != "" {
				w.g.Expect(user.Status.Code).To(HaveValue(And(HaveField("Request", tc.want), HaveField("Phase", v1alpha1.CodeActive))))
			}
			w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(tc.issued))
			w.g.Expect(w.sim.Outbox()).To(HaveLen(tc.mails))
			if tc.want != "" && tc.mails == 0 {
				w.oneLiveCode("alice")
			}
		})
	}
}

// TestAnsweredAndNotRecorded: of a code that reached its Secret and not status, nothing else is believed than that: not that
// it is the one before it, and not that it never runs out.
func TestAnsweredAndNotRecorded(t *testing.T) {
	lose := func(w *testWorld, edits ...func(*v1alpha1.MFAUser)) {
		w.inState(mfasim.StatusActivated)
		w.raise(purpose(v1alpha1.PurposeAddDevice), codeType(v1alpha1.CodeShort))
		w.clock.Step(5 * time.Minute)
		w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(3)) })
		w.sim.OnCall(func(op string, phase mfasim.Phase) {
			if op == "IssueCode" && phase == mfasim.After {
				w.edit("alice", func(u *v1alpha1.MFAUser) {
					u.Spec.FirstName = new("Alice")
					for _, edit := range edits {
						edit(u)
					}
				})
			}
		})
		_, err := w.pass("alice")
		w.g.Expect(err).NotTo(HaveOccurred())
		w.sim.OnCall(nil)
		w.g.Expect(w.get("alice").Status.Code).To(HaveValue(And(HaveField("Request", "generation/2"), HaveField("Pending", Not(BeNil())))))
		w.oneLiveCode("alice")
		w.sim.ResetCalls()
	}
	t.Run("the code before runs out", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		lose(w)
		w.clock.Step(11 * time.Minute)
		w.startOperator()
		w.reconcileConnection()
		user := w.settle("alice")
		w.g.Expect(user.Status.Code).To(HaveValue(And(HaveField("Request", "generation/3"), HaveField("Phase", v1alpha1.CodeActive))))
		w.oneLiveCode("alice")
		w.g.Expect(w.sim.Calls()["IssueCode"]).To(BeZero())
	})
	t.Run("the person uses it", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		lose(w)
		w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
		w.startOperator()
		w.reconcileConnection()
		user := w.settle("alice")
		w.g.Expect(w.sim.Calls()["IssueCode"]).To(BeZero())
		w.g.Expect(user.Status.Code).To(HaveValue(And(HaveField("Request", "generation/3"), HaveField("Phase", v1alpha1.CodeUsed))))
		w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
	})
	t.Run("it runs out while suspended", func(t *testing.T) {
		w := newTestWorld(t, mfasim.Options{})
		lose(w, func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true })
		w.drive(16*time.Minute, "alice")
		w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
		w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
	})
}

// TestCreationAnsweredAndStopped: a code that came with the account and reached its Secret and not status leaves it when it runs
// out, also where every pass is stopped before it looks at the account.
func TestCreationAnsweredAndStopped(t *testing.T) {
	stops := map[string]struct{ stop, goOn func(w *testWorld) }{
		"suspended": {
			func(w *testWorld) { w.edit("alice", suspend) },
			func(w *testWorld) { w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = false }) },
		},
		"not allowed": {
			func(w *testWorld) {
				w.edit("alice", rename)
				w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
			},
			func(w *testWorld) {
				w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.com"} })
			},
		},
	}
	for name, tc := range stops {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "CreateAccount" && phase == mfasim.After {
					tc.stop(w)
				}
			})
			w.create(w.user("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeShort }))
			_, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.sim.OnCall(nil)
			w.g.Expect(w.get("alice").Status).To(And(HaveField("Creating", Not(BeNil())), HaveField("Code", BeNil())))

			w.drive(14*time.Minute, "alice")
			w.g.Expect(w.secret("alice").Data).To(HaveKey(v1alpha1.KeyCode))
			w.drive(2*time.Minute, "alice")
			w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))

			tc.goOn(w)
			w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
			w.oneLiveCode("alice")
		})
	}
}
