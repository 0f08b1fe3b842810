package controller

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestMailedCodes: on creation and later, a mailed link is the live one; by e-mail alone it is nowhere in the cluster.
func TestMailedCodes(t *testing.T) {
	for _, delivery := range []v1alpha1.CodeDelivery{v1alpha1.DeliveryEmail, v1alpha1.DeliverySecretAndEmail} {
		t.Run(string(delivery), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			for n := range 2 {
				if n == 0 {
					w.apply(w.user("alice", delivered(delivery)))
				} else {
					w.raise()
				}
				user := w.get("alice")
				w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
				w.g.Expect(is(v1alpha1.ConditionCodeReady)(user)).To(Equal("True CodeActive"))
				w.g.Expect(user.Status.Code.EmailedAt).NotTo(BeNil())
				w.g.Expect(w.sim.Outbox()).To(HaveLen(n + 1))
				mail := w.sim.Outbox()[n]
				w.g.Expect(mail.To).To(Equal(aliceLogin))
				w.g.Expect(w.sim.Accepts(mail.Link)).To(BeTrue())
				if delivery == v1alpha1.DeliveryEmail {
					w.g.Expect(w.secret("alice")).To(BeNil())
					w.g.Expect(user.Status.Code.SecretRef).To(BeNil())
				} else {
					w.oneLiveCode("alice")
				}
			}
			w.g.Expect(w.sim.UseCode(w.sim.Outbox()[1].Link)).To(Succeed())
			w.tick(11 * time.Minute)
			w.g.Expect(w.settle("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
		})
	}
}

// TestMailAfterSecret: a mailed code cancels the one in the Secret, which leaves it.
func TestMailAfterSecret(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Email = new(aliceLogin) })
	user := w.raise(func(c *v1alpha1.CodeSpec) { c.Delivery = v1alpha1.DeliveryEmail })
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
	w.g.Expect(w.sim.Outbox()).To(HaveLen(1))
	w.raise(func(c *v1alpha1.CodeSpec) { c.Delivery = v1alpha1.DeliverySecret })
	w.oneLiveCode("alice")
	w.g.Expect(w.sim.Outbox()).To(HaveLen(1))
}

// TestMailTrouble: a mail that may not have gone is sent again, with the same link.
func TestMailTrouble(t *testing.T) {
	cases := map[string]struct {
		fault mfasim.Fault
		mails int
	}{
		"outage before the work": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 503}, 1},
		"error":                  {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 500}, 1},
		"slow down":              {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 429, RetryAfter: "30"}, 1},
		"answer lost":            {mfasim.Fault{Kind: mfasim.FaultResetAfter}, 2},
	}
	for name, tc := range cases {
		for _, delivery := range []v1alpha1.CodeDelivery{v1alpha1.DeliveryEmail, v1alpha1.DeliverySecretAndEmail} {
			t.Run(name+" "+string(delivery), func(t *testing.T) {
				t.Parallel()
				w := newTestWorld(t, mfasim.Options{})
				tc.fault.Operation, tc.fault.Count = "SendCode", 1
				w.sim.SetFault(tc.fault)
				w.create(w.user("alice", delivered(delivery)))
				_, _ = w.pass("alice")
				w.g.Expect(ready(w.get("alice").Status.Conditions)).To(And(HavePrefix("False "), HaveSuffix(" Reconciling")))

				w.startOperator()
				w.reconcileConnection()
				w.drive(30*time.Minute, "alice")

				w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
				w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1))
				w.g.Expect(w.sim.Outbox()).To(HaveLen(tc.mails))
				for _, mail := range w.sim.Outbox() {
					w.g.Expect(w.sim.Accepts(mail.Link)).To(BeTrue())
				}
			})
		}
	}
}

// TestNothingToMail: when the service no longer has the link, the code is over.
func TestNothingToMail(t *testing.T) {
	cases := map[string]struct {
		meanwhile func(w *testWorld)
		want      v1alpha1.CodePhase
	}{
		"another was issued in the console": {func(w *testWorld) {
			_, err := w.sim.IssueCode(aliceLogin, "ENROLLMENT", 0)
			w.g.Expect(err).NotTo(HaveOccurred())
		}, v1alpha1.CodeSuperseded},
		"used": {func(w *testWorld) {
			live, _ := w.sim.LiveCode(aliceLogin)
			w.g.Expect(w.sim.UseCode(live)).To(Succeed())
		}, v1alpha1.CodeUsed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.sim.SetFault(mfasim.Fault{Operation: "SendCode", Kind: mfasim.FaultStatus, Count: 1})
			w.create(w.user("alice", delivered(v1alpha1.DeliverySecretAndEmail)))
			_, _ = w.pass("alice")
			tc.meanwhile(w)
			user := w.settle("alice")
			w.g.Expect(user.Status.Code.Phase).To(Equal(tc.want))
			w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
			w.g.Expect(w.sim.Outbox()).To(BeEmpty())
		})
	}
}

// TestActivation: an inactive code is switched on when the manifest says so, once.
func TestActivation(t *testing.T) {
	for name, omit := range map[string]bool{"the service says how long": false, "the tenant's lifetime": true} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{OmitExpiresAt: omit})
			w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive })
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeInactivePhase))
			w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(BeFalse())

			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
			user := w.settle("alice")

			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(BeTrue())
			w.oneLiveCode("alice")
			expiry := w.clock.Now().Add(15 * time.Minute)
			w.g.Expect(user.Status.Code.ExpiresAt.Time).To(BeTemporally("==", expiry))
			w.g.Expect(w.secret("alice").Data).To(HaveKeyWithValue(v1alpha1.KeyExpiresAt, []byte(expiry.UTC().Format(time.RFC3339))))
			w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"GetAccount": 1, "ActivateCode": 1}))

			for _, activation := range []v1alpha1.CodeActivation{v1alpha1.ActivationLater, v1alpha1.ActivationNow} {
				w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = activation })
				w.settle("alice")
			}
			w.g.Expect(w.sim.Calls()["ActivateCode"]).To(Equal(1))
			w.drive(15*time.Minute, "alice")
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
			w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
		})
	}
}

// TestActivationTrouble: an answer that is lost is asked for again, and is the same.
func TestActivationTrouble(t *testing.T) {
	for _, kind := range []mfasim.FaultKind{mfasim.FaultResetAfter, mfasim.FaultCutBody, mfasim.FaultStatus} {
		t.Run(string(kind), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive })
			w.sim.SetFault(mfasim.Fault{Operation: "ActivateCode", Kind: kind, Count: 1})
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
			_, err := w.pass("alice")
			w.g.Expect(err).To(HaveOccurred())
			w.startOperator()
			w.reconcileConnection()
			w.g.Expect(w.settle("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			w.oneLiveCode("alice")
			w.g.Expect(w.sim.Accepts(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(BeTrue())
		})
	}
}

// TestActivationOfACodeThatIsGone: cancelled in the console, it is over.
func TestActivationOfACodeThatIsGone(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive })
	_, err := w.sim.IssueCode(aliceLogin, "ENROLLMENT", 0)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow })
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeSuperseded))
	w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
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

// TestUseIsSeen: of each purpose, within one interval, and the code leaves its Secret.
func TestUseIsSeen(t *testing.T) {
	for _, fit := range fitting {
		t.Run(string(fit.purpose)+" "+fit.status, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(fit.status)
			w.raise(purpose(fit.purpose))
			w.drive(25*time.Minute, "alice")
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeActive), "not before")

			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
			w.drive(11*time.Minute, "alice")

			user := w.get("alice")
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
			w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))
			w.g.Expect(user.Status.Devices).To(HaveLen(len(w.sim.Devices(aliceLogin))))
			w.sim.ResetCalls()
			w.drive(time.Hour, "alice")
			w.g.Expect(w.sim.Calls()["ListDevices"]).To(BeZero(), "nobody is polled without a code that asks for it")
		})
	}
}

// TestUsedCodeOfAUserWhoMayNoLonger: the code goes, whatever stops the pass.
func TestUsedCodeOfAUserWhoMayNoLonger(t *testing.T) {
	cases := map[string]func(w *testWorld){
		"not allowed": func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
		},
		"group not found": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff-gone", Role: v1alpha1.RoleUser}} })
		},
	}
	for name, stop := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending)
			stop(w)
			w.settle("alice")
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
			w.tick(11 * time.Minute)
			user := w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(HaveSuffix(" Stalled"))
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
			w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
		})
	}
}

// TestImmutableSecret: a dead code that can't be taken out of its Secret is told of, once, and management goes on.
func TestImmutableSecret(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.ResyncInterval.Duration = 24 * time.Hour })
	w.inState(mfasim.StatusPending)
	secret := w.secret("alice")
	secret.Immutable = new(true)
	w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
	w.drive(22*24*time.Hour, "alice")
	w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
	w.g.Expect(w.eventsWith("CodeNotRemoved")).To(Equal(1))
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") })
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote(aliceLogin).FirstName).To(Equal("Alice"))
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1))
	w.g.Expect(ready(w.raise().Status.Conditions)).To(Equal("False SecretConflict Stalled"), "found before a code is asked for")
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1))
}

// TestDevices: read when the state changes, at most 20 shown, in an order of their own.
func TestDevices(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	for range 25 {
		_, err := w.sim.AddDevice(aliceLogin)
		w.g.Expect(err).NotTo(HaveOccurred())
	}
	w.tick(11 * time.Minute)
	w.sim.SetFault(mfasim.Fault{Operation: "ListDevices", Kind: mfasim.FaultStatus, Count: 1})
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	user := w.settle("alice")
	w.g.Expect(user.Status.Devices).To(HaveLen(20))
	w.g.Expect(user.Status.Devices[0]).To(HaveField("State", "Active"))

	w.console(aliceLogin, func(a *mfasim.Account) { a.Status = mfasim.StatusPINBlocked })
	w.g.Expect(w.settle("alice").Status.Devices[0]).To(HaveField("State", "PinLocked"))
	w.startOperator()
	w.reconcileConnection()
	w.sim.ResetCalls()
	w.settle("alice")
	w.g.Expect(w.sim.Calls()["ListDevices"]).To(BeZero(), "a restart polls nobody")
}

// TestPINErrors: by hand, wrong PINs are forgotten, once a token; what the service refuses is told.
func TestPINErrors(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPINBlocked)
	user := w.ask("PINErrors/1")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated), "seen at once")
	w.g.Expect(w.sim.Calls()["ResetPINErrors"]).To(Equal(1))
	w.settle("alice")
	w.g.Expect(w.sim.Calls()["ResetPINErrors"]).To(Equal(1))

	for range 3 {
		w.g.Expect(w.sim.MistypePIN(aliceLogin)).To(Succeed())
	}
	w.tick(11 * time.Minute)
	user = w.ask("PINErrors/2")
	w.g.Expect(user.Status.CodeRefusal.Message).To(ContainSubstring("only once until the next good authentication"))
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.settle("alice")
	w.g.Expect(w.sim.Calls()["ResetPINErrors"]).To(Equal(2))
	w.g.Expect(w.ask("Unlock/3").Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.oneLiveCode("alice")
}

// TestPINErrorsAnswerLost: what was done is not refused when it is asked for again.
func TestPINErrorsAnswerLost(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPINBlocked)
	w.sim.SetFault(mfasim.Fault{Operation: "ResetPINErrors", Kind: mfasim.FaultResetAfter, Count: 1})
	user := w.ask("PINErrors/1")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(user.Status.CodeRefusal).To(BeNil())
	w.g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated))
}

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
