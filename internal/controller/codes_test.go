package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const aliceLogin = "alice@example.com"

// inState makes alice's account by the operator and puts it into a state as the person or the console would; the picture shows it.
func (w *testWorld) inState(status string, edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
	w.t.Helper()
	w.apply(w.user("alice", edits...))
	if status != mfasim.StatusPending {
		w.console(aliceLogin, func(a *mfasim.Account) { a.Status = status })
	}
	user := w.settle("alice")
	w.happened()
	w.sim.ResetCalls()
	return user
}

// raise asks for the next code by a higher generation.
func (w *testWorld) raise(edits ...func(*v1alpha1.CodeSpec)) *v1alpha1.MFAUser {
	w.t.Helper()
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.Code.Generation = new(u.Spec.Code.WantedGeneration() + 1)
		for _, edit := range edits {
			edit(&u.Spec.Code)
		}
	})
	return w.settle("alice")
}

// ask asks for a code by the annotation.
func (w *testWorld) ask(value string) *v1alpha1.MFAUser {
	w.t.Helper()
	w.edit("alice", func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: value} })
	return w.settle("alice")
}

func purpose(p v1alpha1.CodePurpose) func(*v1alpha1.CodeSpec) {
	return func(c *v1alpha1.CodeSpec) { c.Purpose = p }
}

func codeType(t v1alpha1.CodeType) func(*v1alpha1.CodeSpec) {
	return func(c *v1alpha1.CodeSpec) { c.Type = t }
}

func delivered(d v1alpha1.CodeDelivery) func(*v1alpha1.MFAUser) {
	return func(u *v1alpha1.MFAUser) { u.Spec.Email, u.Spec.Code.Delivery = new(aliceLogin), d }
}

// fitting are the purposes with the states that they are for.
var fitting = []struct {
	purpose v1alpha1.CodePurpose
	status  string
}{
	{v1alpha1.PurposeEnrollment, mfasim.StatusPending},
	{v1alpha1.PurposeEnrollment, mfasim.StatusExpired},
	{v1alpha1.PurposeAddDevice, mfasim.StatusActivated},
	{v1alpha1.PurposeUnlock, mfasim.StatusPINBlocked},
	{v1alpha1.PurposeRestore, mfasim.StatusActivated},
	{v1alpha1.PurposeRestore, mfasim.StatusPINBlocked},
}

// TestCodeRequests: each purpose and type, by generation and by hand, ends as the one live code, in the Secret.
func TestCodeRequests(t *testing.T) {
	ways := map[string]func(w *testWorld, p v1alpha1.CodePurpose, c v1alpha1.CodeType) *v1alpha1.MFAUser{
		"generation/2": func(w *testWorld, p v1alpha1.CodePurpose, c v1alpha1.CodeType) *v1alpha1.MFAUser {
			return w.raise(purpose(p), codeType(c))
		},
		"annotation/by-hand": func(w *testWorld, p v1alpha1.CodePurpose, c v1alpha1.CodeType) *v1alpha1.MFAUser {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = c })
			return w.ask(string(p) + "/by-hand")
		},
	}
	for request, make := range ways {
		for _, fit := range fitting {
			for _, kind := range []v1alpha1.CodeType{v1alpha1.CodeShort, v1alpha1.CodeInactive, v1alpha1.CodeLink} {
				t.Run(fmt.Sprintf("%s %s %s %s", request, fit.purpose, fit.status, kind), func(t *testing.T) {
					t.Parallel()
					w := newTestWorld(t, mfasim.Options{})
					w.inState(fit.status)
					first, _ := w.sim.LiveCode(aliceLogin)

					user := make(w, fit.purpose, kind)

					w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
					code := user.Status.Code
					w.g.Expect(code).To(HaveValue(And(HaveField("Request", request), HaveField("Purpose", fit.purpose), HaveField("Type", kind), HaveField("Pending", BeNil()))))
					w.oneLiveCode("alice")
					secret := w.secret("alice")
					w.g.Expect(secret.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationRequest, request))
					w.g.Expect(secret.Data).To(HaveKeyWithValue(v1alpha1.KeyPurpose, []byte(fit.purpose)))
					w.g.Expect(string(secret.Data[v1alpha1.KeyCode])).NotTo(Equal(first))
					w.g.Expect(code.Phase == v1alpha1.CodeInactivePhase).To(Equal(kind == v1alpha1.CodeInactive))
					w.g.Expect(w.sim.Accepts(string(secret.Data[v1alpha1.KeyCode]))).To(Equal(kind != v1alpha1.CodeInactive))
					w.g.Expect(w.sim.Calls()["IssueCode"]).To(Equal(1))
					w.g.Expect(user.Status.CodeTimes).To(HaveLen(2), "that of the creation and this one")
				})
			}
		}
	}
}

// TestGenerationActsOnce: only a number higher than any before issues; nothing else in the manifest does.
func TestGenerationActsOnce(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	generation := func(g int64) func(*v1alpha1.MFAUser) {
		return func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(g) }
	}
	steps := []struct {
		edit func(*v1alpha1.MFAUser)
		want int // codes issued since
	}{
		{generation(3), 1},
		{generation(3), 1},
		{generation(2), 1},
		{generation(0), 1},
		{generation(3), 1},
		{func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeShort }, 1},
		{func(u *v1alpha1.MFAUser) { u.Spec.Code.Purpose = v1alpha1.PurposeUnlock }, 1},
		{delivered(v1alpha1.DeliverySecret), 1},
		{func(u *v1alpha1.MFAUser) { u.Spec.Code = v1alpha1.CodeSpec{Generation: new(int64(4))} }, 2},
	}
	for n, step := range steps {
		w.edit("alice", step.edit)
		user := w.settle("alice")
		w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"), "step %d", n)
		w.g.Expect(w.sim.Calls()["IssueCode"]).To(Equal(step.want), "step %d", n)
	}
	w.startOperator()
	w.reconcileConnection()
	w.settle("alice")
	w.g.Expect(w.sim.Calls()["IssueCode"]).To(Equal(2), "nor does a restart")
}

// TestAnnotationActsOnce: each token acts once, also when an older one comes back; removing one does nothing.
func TestAnnotationActsOnce(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusActivated)
	for n, step := range []struct {
		value string
		want  int
	}{
		{"AddDevice/one", 1}, {"AddDevice/two", 2}, {"AddDevice/one", 2}, {"", 2}, {"AddDevice/two", 2}, {"AddDevice/three", 3},
	} {
		user := w.ask(step.value)
		w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
		w.g.Expect(w.sim.Calls()["IssueCode"]).To(Equal(step.want), "step %d", n)
	}
	w.g.Expect(w.get("alice").Status.HandledIssueCodes).To(Equal([]string{"AddDevice/one", "AddDevice/two", "AddDevice/three"}))
}

// TestMalformedAnnotation: what can't be read is refused without a call, once, however long it is.
func TestMalformedAnnotation(t *testing.T) {
	for _, value := range []string{"Enrollment", "Enrollment/", "enrollment/1", "Delete/1", "/1", "Unlock/a b", "Unlock/" + strings.Repeat("é", 200)} {
		t.Run(value[:min(len(value), 20)], func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusActivated)
			user := w.ask(value)
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.CodeRefusal.Message).To(ContainSubstring("must be <Purpose>/<token>"))
			w.g.Expect(user.Status.CodeRefusal.Request).To(Equal("annotation"))
			w.g.Expect(w.happened()).To(Equal([]string{"CodeRefused"}))
			w.settle("alice")
			w.g.Expect(w.happened()).To(BeEmpty(), "said once")
			w.g.Expect(w.sim.Calls()).To(BeEmpty())
		})
	}
}

// TestUnfitPurposes: what is of no use to the account as it is, is refused after one fresh look and before any write, and
// never acts later; a code that lives is not touched.
func TestUnfitPurposes(t *testing.T) {
	states := []string{mfasim.StatusPending, mfasim.StatusExpired, mfasim.StatusActivated, mfasim.StatusPINBlocked, mfasim.StatusBlocked, "FROZEN"}
	for _, p := range []v1alpha1.CodePurpose{v1alpha1.PurposeEnrollment, v1alpha1.PurposeAddDevice, v1alpha1.PurposeUnlock, v1alpha1.PurposeRestore} {
		for _, status := range states {
			fits := false
			for _, fit := range fitting {
				fits = fits || fit.purpose == p && fit.status == status
			}
			if fits {
				continue
			}
			t.Run(string(p)+" "+status, func(t *testing.T) {
				t.Parallel()
				w := newTestWorld(t, mfasim.Options{})
				before := w.inState(status)
				live := before.Status.Code.Phase == v1alpha1.CodeActive

				user := w.raise(purpose(p))

				w.g.Expect(ready(user.Status.Conditions)).To(Equal("False CodeRefused Stalled"))
				w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"GetAccount": 1}))
				w.g.Expect(user.Status.HandledCodeGeneration).To(Equal(int64(2)))
				w.g.Expect(user.Status.CodeRefusal.Request).To(Equal("generation/2"))
				if live {
					w.g.Expect(user.Status.Code).To(Equal(before.Status.Code))
					w.oneLiveCode("alice")
				} else {
					w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeRefused))
				}

				// Weeks later it would fit.
				for _, fit := range fitting {
					if fit.purpose == p {
						w.console(aliceLogin, func(a *mfasim.Account) { a.Status = fit.status })
						w.settle("alice")
					}
				}
				w.g.Expect(w.sim.Calls()["IssueCode"]).To(BeZero())
				w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False CodeRefused Stalled"))

				w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(1)) })
				w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"), "the commit is reverted")
				w.g.Expect(w.sim.Calls()["IssueCode"]).To(BeZero())
			})
		}
	}
}

// TestServiceRefusesACode: the service's word ends a request too, and the code before it stays.
func TestServiceRefusesACode(t *testing.T) {
	for _, status := range []int{400, 403, 409, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			before := w.inState(mfasim.StatusPending)
			w.sim.SetFault(mfasim.Fault{Operation: "IssueCode", Kind: mfasim.FaultStatus, Status: status, Count: 1})
			user := w.raise()
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("False CodeRefused Stalled"))
			w.g.Expect(user.Status.Code).To(Equal(before.Status.Code))
			w.g.Expect(user.Status.CodeTimes).To(Equal(before.Status.CodeTimes), "it counts for nothing")
			w.oneLiveCode("alice")
			w.g.Expect(ready(w.raise().Status.Conditions)).To(Equal("True Reconciled"))
			w.oneLiveCode("alice")
		})
	}
}

// TestSlowedDownCode: a request that the service has not come to stays open, and the code before it stays in the Secret.
func TestSlowedDownCode(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	first, _ := w.sim.LiveCode(aliceLogin)
	w.sim.SetFault(mfasim.Fault{Operation: "IssueCode", Kind: mfasim.FaultStatus, Status: 429, RetryAfter: "60", Count: 2})
	user := w.raise()
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False RateLimited Reconciling"))
	w.g.Expect(string(w.secret("alice").Data[v1alpha1.KeyCode])).To(Equal(first))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeActive))
	w.drive(time.Hour, "alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.oneLiveCode("alice")
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(2))
	w.g.Expect(w.get("alice").Status.CodeTimes).NotTo(HaveLen(4), "what was not issued does not count")
}

// TestUnclearReissue: when nobody knows whether a code was issued, the one before leaves its Secret before the next try.
func TestUnclearReissue(t *testing.T) {
	for name, set := range unclear {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.inState(mfasim.StatusPending)
			set(w, "IssueCode")
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) })
			_, _ = w.pass("alice")
			user := w.get("alice")
			w.g.Expect(user.Status.Code).To(HaveValue(And(HaveField("Phase", v1alpha1.CodeSuperseded), HaveField("Pending", Not(BeNil())))))
			w.g.Expect(w.secret("alice").Data).NotTo(Or(HaveKey(v1alpha1.KeyCode), HaveKey(v1alpha1.KeyLink)))

			user = w.settle("alice")
			w.g.Expect(ready(user.Status.Conditions)).To(Equal("True Reconciled"))
			w.g.Expect(user.Status.Code.Request).To(Equal("generation/2"))
			w.oneLiveCode("alice")
		})
	}
}

// TestCodeLimit: five codes within an hour, then the next waits, through a restart too.
func TestCodeLimit(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	for range 4 {
		w.raise()
		w.clock.Step(time.Minute)
	}
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(5))
	w.startOperator()
	w.reconcileConnection()
	user := w.raise()
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("False CodeLimitReached Reconciling"))
	w.oneLiveCode("alice")
	w.drive(50*time.Minute, "alice")
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(5))
	w.drive(10*time.Minute, "alice")
	w.g.Expect(w.sim.CodesIssued(aliceLogin)).To(Equal(6))
	w.oneLiveCode("alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
}

// TestObserveIssuesNothing: under Observe a request is told of as a change that is pending.
func TestObserveIssuesNothing(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.inState(mfasim.StatusPending)
	w.edit("alice", func(u *v1alpha1.MFAUser) {
		u.Spec.ManagementPolicy, u.Spec.Code.Generation = v1alpha1.ManagementObserve, new(int64(2))
	})
	user := w.settle("alice")
	w.g.Expect(ready(user.Status.Conditions)).To(Equal("True ChangesPending"))
	w.g.Expect(user.Status.PendingChanges).To(Equal([]string{"code"}))
	w.g.Expect(w.sim.Calls()).To(BeEmpty())
}
