package controller

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

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

// TestUsedJustBeforeItRanOut: a code that ran out between its use and the next listing is not one that nobody used, and nobody
// is told to ask for another, which would be refused.
func TestUsedJustBeforeItRanOut(t *testing.T) {
	for p, status := range map[v1alpha1.CodePurpose]string{v1alpha1.PurposeEnrollment: mfasim.StatusPending, v1alpha1.PurposeUnlock: mfasim.StatusPINBlocked} {
		t.Run(string(p), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(status)
			w.reconcileConnection()
			w.raise(purpose(p), codeType(v1alpha1.CodeShort)) // for 15 minutes
			w.drive(14*time.Minute, "alice")
			w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
			w.drive(2*time.Minute, "alice")
			w.g.Expect(w.get("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeExpired), "as far as is known")

			w.drive(10*time.Minute, "alice")

			user := w.get("alice")
			w.g.Expect(user.Status.State).To(Equal(v1alpha1.StateActivated))
			w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeUsed))
			w.g.Expect(condition(user.Status.Conditions, v1alpha1.ConditionCodeReady).Reason).To(Equal(v1alpha1.ReasonCodeUsed))
		})
	}
}

// TestUseIsPlanned: the very pass that has issued a code says when its use is looked for.
func TestUseIsPlanned(t *testing.T) {
	for _, p := range []v1alpha1.CodePurpose{v1alpha1.PurposeAddDevice, v1alpha1.PurposeRestore} {
		t.Run(string(p), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusActivated)
			w.edit("alice", func(u *v1alpha1.MFAUser) {
				u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: string(p) + "/1"}
			})
			result, err := w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(result.RequeueAfter).To(Equal(10 * time.Minute))
			w.startOperator()
			w.reconcileConnection()
			result, err = w.pass("alice")
			w.g.Expect(err).NotTo(HaveOccurred())
			w.g.Expect(result.RequeueAfter).To(Equal(10*time.Minute), "and the first pass after a restart")
		})
	}
}

// TestUsedCodeOfAUserWhoMayNoLonger: the code goes, whatever stops the pass.
func TestUsedCodeOfAUserWhoMayNoLonger(t *testing.T) {
	cases := map[string]func(w *testWorld){
		"not allowed": func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"*@example.org"} })
		},
		"namespace not allowed": func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) {
				c.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.FromSame}
			})
		},
		"group not found": func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) {
				u.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff-gone", Role: v1alpha1.RoleUser}}
			})
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
			w.g.Expect(is(v1alpha1.ConditionCodeReady)(user)).To(Equal("False CodeUsed"))
			w.g.Expect(is(v1alpha1.ConditionEnrolled)(user)).To(Equal("True Enrolled"))
		})
		t.Run(name+", the Secret deleted", func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending)
			stop(w)
			w.settle("alice")
			w.deleteObject(w.secret("alice"))
			w.g.Expect(is(v1alpha1.ConditionCodeReady)(w.settle("alice"))).To(Equal("False CodeLost"))
		})
	}
}

// TestUnlockCodeAndAnOlderListing: a listing that began before the person's PIN was blocked shows an account that needs no code,
// and says nothing of one that was issued since.
func TestUnlockCodeAndAnOlderListing(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusActivated)
	w.clock.Step(11 * time.Minute)
	var once sync.Once
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, r)
		if strings.HasSuffix(r.URL.Path, "/accounts") && r.Method == http.MethodGet {
			once.Do(func() {
				w.g.Expect(w.sim.UpdateAccount(aliceLogin, func(a *mfasim.Account) { a.Status = mfasim.StatusPINBlocked })).To(Succeed())
				w.g.Expect(w.ask("Unlock/1").Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
			})
		}
		maps.Copy(out.Header(), answer.Header())
		out.WriteHeader(answer.Code)
		_, _ = out.Write(answer.Body.Bytes())
	})
	w.reconcileConnection()
	w.g.Expect(w.settle("alice").Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.g.Expect(w.secret("alice").Data).To(HaveKey(v1alpha1.KeyLink))
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

// TestEventOfAQuietPass: what became of a code is told also by a pass that can say nothing else, and once.
func TestEventOfAQuietPass(t *testing.T) {
	cases := map[string]struct {
		before func(w *testWorld)
		want   string
	}{
		"the connection is not known yet": {func(w *testWorld) {
			secret := w.secret("alice")
			secret.Immutable = new(true)
			w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
			w.clock.Step(22 * 24 * time.Hour)
			w.startOperator()
		}, "CodeNotRemoved"},
		"the service is out of reach": {func(w *testWorld) {
			w.deleteObject(w.secret("alice"))
			w.console(aliceLogin, func(a *mfasim.Account) { a.Status = mfasim.StatusActivated })
			w.sim.SetFault(mfasim.Fault{Operation: "ListDevices", Kind: mfasim.FaultStatus, Status: 500})
		}, "CodeLost"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			before := w.inState(mfasim.StatusPending)
			tc.before(w)
			_, _ = w.pass("alice")
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal(ready(before.Status.Conditions)), "it is quiet")
			w.g.Expect(w.happened()).To(Equal([]string{tc.want}))
			_, _ = w.pass("alice")
			w.g.Expect(w.happened()).To(BeEmpty(), "said once")
		})
	}
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

// TestDevicesCutShortOnce: one answer that was cut short is no service without the call. It is asked again before a code goes out
// whose use could not be seen.
func TestDevicesCutShortOnce(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusActivated)
	w.sim.SetFault(mfasim.Fault{Operation: "ListDevices", Kind: mfasim.FaultCutBody, Count: 1})
	code := w.ask("AddDevice/1").Status.Code
	w.g.Expect(code.Phase).To(Equal(v1alpha1.CodeActive))
	w.g.Expect(code.DeviceIDs).To(HaveLen(1))
}

// TestDevicesAfterAPassThatStopped: the pass that sees the change of state may not get to the devices. A later one reads them.
func TestDevicesAfterAPassThatStopped(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyCode]))).To(Succeed())
	w.tick(11 * time.Minute)
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") })
	w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Count: 1})
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	w.g.Expect(w.get("alice").Status.State).To(Equal(v1alpha1.StateActivated))
	w.g.Expect(w.settle("alice").Status.Devices).To(HaveLen(1))
}
