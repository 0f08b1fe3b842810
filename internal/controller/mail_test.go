package controller

import (
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

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

// TestMailIsRecordedFirst: no Secret shows that a link was made, so status does before it is mailed. A manager that is killed
// then mails that link, and does not have another made.
func TestMailIsRecordedFirst(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	var atTheCall atomic.Pointer[v1alpha1.CodeStatus]
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		if op == "SendCode" && phase == mfasim.Before {
			atTheCall.Store(w.get("alice").Status.Code)
		}
	})
	w.apply(w.user("alice", delivered(v1alpha1.DeliveryEmail)))
	w.g.Expect(atTheCall.Load()).To(HaveValue(And(HaveField("Phase", v1alpha1.CodeActive), HaveField("Pending", BeNil()), HaveField("EmailedAt", BeNil()))))
}

// TestMailFromAStaleCache: a cache that does not show yet that the link was mailed does not have it mailed twice.
func TestMailFromAStaleCache(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.SetFault(mfasim.Fault{Operation: "SendCode", Kind: mfasim.FaultStatus, Count: 1})
	w.create(w.user("alice", delivered(v1alpha1.DeliveryEmail)))
	_, _ = w.pass("alice")
	stale := w.get("alice")
	w.g.Expect(stale.Status.Code).To(HaveValue(HaveField("EmailedAt", BeNil())))
	w.g.Expect(w.settle("alice").Status.Code.EmailedAt).NotTo(BeNil())

	_, err := w.users.Reconcile(w.ctx, stale)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.sim.Outbox()).To(HaveLen(1))
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

// TestNoMailToTheBlocked: somebody who is blocked is mailed no link; it is mailed once the block is lifted.
func TestNoMailToTheBlocked(t *testing.T) {
	for _, delivery := range []v1alpha1.CodeDelivery{v1alpha1.DeliveryEmail, v1alpha1.DeliverySecretAndEmail} {
		cases := map[string]struct {
			blocked, lifted func(w *testWorld)
		}{
			"by the manifest": {
				func(w *testWorld) { w.apply(w.user("alice", delivered(delivery), block)) },
				func(w *testWorld) {
					w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessAllowed) })
				},
			},
			"in the console, since the listing": {
				func(w *testWorld) {
					w.sim.SetFault(mfasim.Fault{Operation: "SendCode", Kind: mfasim.FaultStatus, Count: 1})
					w.create(w.user("alice", delivered(delivery)))
					_, _ = w.pass("alice")
					w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.Blocked = true })).To(Succeed())
				},
				func(w *testWorld) { w.console(aliceLogin, func(a *mfasim.Account) { a.Blocked = false }) },
			},
		}
		for name, tc := range cases {
			t.Run(name+" "+string(delivery), func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{})
				tc.blocked(w)
				user := w.settle("alice")
				w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
				w.g.Expect(is(v1alpha1.ConditionCodeReady)(user)).To(Equal("True CodeActive"))
				w.g.Expect(condition(user.Status.Conditions, v1alpha1.ConditionCodeReady).Message).NotTo(ContainSubstring("was asked"))
				w.drive(time.Hour, "alice")
				w.g.Expect(w.sim.Outbox()).To(BeEmpty())

				tc.lifted(w)
				w.g.Expect(w.settle("alice").Status.Code.EmailedAt).NotTo(BeNil())
				w.g.Expect(w.sim.Outbox()).To(HaveLen(1))
				w.g.Expect(w.sim.Accepts(w.sim.Outbox()[0].Link)).To(BeTrue())
				w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(1))
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
