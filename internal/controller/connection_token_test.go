package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// connReady is the connection's Ready as the tests spell it, with TokenValid behind it.
func connReady(conn *v1alpha1.MFAConnection) string {
	return ready(conn.Status.Conditions) + ", token " + string(condition(conn.Status.Conditions, v1alpha1.ConditionTokenValid).Status)
}

func TestTokenSecret(t *testing.T) {
	cases := map[string]struct {
		spoil func(*corev1.Secret)
		want  string
		calls int
	}{
		"another name": {func(s *corev1.Secret) { s.Name = "other" }, "False TokenSecretNotFound Stalled, token False", 0},
		"no label":     {func(s *corev1.Secret) { s.Labels = nil }, "False TokenSecretNotLabelled Stalled, token False", 0},
		"label says otherwise": {func(s *corev1.Secret) { s.Labels[v1alpha1.LabelToken] = "false" },
			"False TokenSecretNotLabelled Stalled, token False", 0},
		"another key": {func(s *corev1.Secret) { s.Data = map[string][]byte{"other": s.Data["token"]} }, "False TokenMissing Stalled, token False", 0},
		"empty":       {func(s *corev1.Secret) { s.Data["token"] = nil }, "False TokenMissing Stalled, token False", 0},
		"only white space": {func(s *corev1.Secret) { s.Data["token"] = []byte(" \r\n") },
			"False TokenMalformed Stalled, token False", 0},
		"white space inside": {func(s *corev1.Secret) { s.Data["token"] = append(append([]byte("Bearer "), s.Data["token"]...), '\n') },
			"False TokenMalformed Stalled, token False", 0},
		"not ASCII":     {func(s *corev1.Secret) { s.Data["token"] = []byte("tökén") }, "False TokenMalformed Stalled, token False", 0},
		"newline ended": {func(s *corev1.Secret) { s.Data["token"] = append(s.Data["token"], '\n') }, "True Reconciled, token True", 1},
		"wrong":         {func(s *corev1.Secret) { s.Data["token"] = []byte("abcdef") }, "False TokenRejected Stalled, token False", 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newBareWorld(t, mfasim.Options{})
			secret := w.tokenSecret(w.sim.Token())
			tc.spoil(secret)
			w.create(secret, w.connection())

			w.reconcileConnection()

			w.g.Expect(connReady(w.getConnection())).To(Equal(tc.want))
			w.g.Expect(w.calls()).To(Equal(tc.calls), "only a token that looks like one is sent")
			w.expectDiscreet(nil)

			// Mended, without a restart.
			w.deleteObject(secret)
			w.create(w.tokenSecret(w.sim.Token()))
			w.reconcileConnection()
			w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
		})
	}
}

func TestTokenKey(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	secret, conn := w.tokenSecret("of another"), w.connection()
	secret.Data["mfa"] = []byte(w.sim.Token())
	conn.Spec.TokenSecretRef.Key = "mfa"
	w.create(secret, conn)
	w.reconcileConnection()
	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
}

// A Secret that changes wakes the connections that use it, and only those of its own namespace.
func TestTokenSecretWakesItsConnections(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	second, third, elsewhere := w.connection(), w.connection(), w.connection()
	second.Name, third.Name, elsewhere.Namespace = "second", "third", w.namespace
	third.Spec.TokenSecretRef.Name = "other"
	w.create(second, third, elsewhere)

	metadata := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: "token"}}
	w.g.Expect(w.connections.connectionsOfToken(w.ctx, metadata)).To(ConsistOf(
		ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}},
		ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: "second"}},
	))
}

func TestTokenRotation(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	old := w.sim.Token()
	fresh := w.sim.IssueToken(mfasim.DefaultAdminLogin, 48*time.Hour)
	w.sim.RevokeToken(old)
	w.apply(w.user("early")) // fails: the token is dead, and this process has not heard of the new one
	w.g.Expect(ready(w.get("early").Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"))
	woken := w.listenTo(w.users.users)

	w.setToken(fresh)

	conn := w.getConnection()
	w.g.Expect(connReady(conn)).To(Equal("True Reconciled, token True"))
	w.g.Expect(conn.Status.TokenExpiresAt.Time).To(BeTemporally("==", w.clock.Now().Add(48*time.Hour)))
	w.g.Expect(woken.woken).To(HaveKey("early"))
	w.g.Expect(ready(w.settle("early").Status.Conditions)).To(Equal("True Reconciled"))
}

// A token that is not known to work for this service is not used for anything before its first listing.
func TestNewTokenWaitsForItsListing(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(w.user("alice"))
	w.sim.ResetCalls()
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		if op == "ListAccounts" && phase == mfasim.Before {
			_, _ = w.pass("alice")
		}
	})
	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, 0))
	w.sim.OnCall(nil)
	w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"ListAccounts": 1}))
	w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
}

func TestTokenRunsOut(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	const day = 24 * time.Hour
	lead := 10 * time.Minute // the next threshold is closer than everything else that a pass waits for
	conn := w.connection()
	conn.Spec.ResyncInterval.Duration = 10 * time.Hour
	w.create(w.tokenSecret(w.sim.IssueToken(mfasim.DefaultAdminLogin, 30*day+lead)), conn)
	expiry := w.clock.Now().Add(30*day + lead)

	w.g.Expect(w.reconcileConnection()).To(Equal(lead))
	w.g.Expect(w.getConnection().Status.TokenExpiresAt.Time).To(BeTemporally("==", expiry))
	w.g.Expect(condition(w.getConnection().Status.Conditions, v1alpha1.ConditionTokenExpiring).Status).To(BeEmpty())

	for _, step := range []struct {
		before, next time.Duration
		reason       string
	}{
		{30 * day, 7 * day, v1alpha1.ReasonExpiresWithin30Days},
		{7 * day, day, v1alpha1.ReasonExpiresWithin7Days},
		{day, 0, v1alpha1.ReasonExpiresWithin1Day},
	} {
		w.clock.SetTime(expiry.Add(-step.before))
		w.reconcileConnection()
		got := condition(w.getConnection().Status.Conditions, v1alpha1.ConditionTokenExpiring)
		w.g.Expect(got.Reason).To(Equal(step.reason))
		w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"), "it still works")
		w.clock.SetTime(expiry.Add(-step.next - lead))
		w.g.Expect(w.reconcileConnection()).To(Equal(lead))
	}

	w.clock.SetTime(expiry)
	w.sim.ResetCalls()
	w.reconcileConnection()
	w.g.Expect(connReady(w.getConnection())).To(Equal("False TokenExpired Stalled, token False"))
	w.drive(24 * time.Hour)
	w.g.Expect(w.calls()).To(BeZero(), "a token that says it is dead is not sent")

	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, 60*day))
	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
	w.g.Expect(condition(w.getConnection().Status.Conditions, v1alpha1.ConditionTokenExpiring).Status).To(BeEmpty())
}

func TestConnectionWithOpaqueToken(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	w.sim.AddOpaqueToken("opaque-0123456789")
	w.create(w.tokenSecret("opaque-0123456789"), w.connection())
	w.reconcileConnection()
	conn := w.getConnection()
	w.g.Expect(connReady(conn)).To(Equal("True Reconciled, token True"))
	w.g.Expect(conn.Status.ServiceID + conn.Status.TokenSubject).To(BeEmpty())
	w.g.Expect(conn.Status.TokenExpiresAt).To(BeNil())
	w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))
}

// A token for another service must not make every account look deleted, nor make them all anew over there.
func TestServiceChanged(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	right := w.sim.Token()
	before := w.apply(w.user("alice"))
	w.g.Expect(w.getConnection().Status.ServiceID).To(Equal(mfasim.DefaultServiceID))
	foreign := w.sim.ForeignToken("9999", mfasim.DefaultAdminLogin, 0)
	w.sim.AddOpaqueToken(foreign) // this service would take it: the refusal is ours
	w.sim.ResetCalls()

	w.setToken(foreign)
	w.create(w.user("bob"))
	w.drive(time.Hour, "alice", "bob")

	conn := w.getConnection()
	w.g.Expect(connReady(conn)).To(Equal("False ServiceChanged Stalled, token False"))
	w.g.Expect(conn.Status.ServiceID).To(Equal(mfasim.DefaultServiceID))
	w.g.Expect(w.calls()).To(BeZero())
	w.g.Expect(w.get("alice").Status).To(Equal(before.Status), "a user without open work is as it was")
	w.g.Expect(ready(w.get("bob").Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"))

	w.setToken(right)
	w.drive(time.Minute, "alice", "bob")
	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
	w.g.Expect(ready(w.get("bob").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.get("alice").Status).To(Equal(before.Status))
}

func TestTokenSecretRemovedInUse(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	before := w.apply(w.user("alice"))
	w.deleteObject(w.tokenSecret(""))
	w.force(w.tokenSecret(""))
	w.sim.ResetCalls()
	w.recorder.Events = make(chan string, 1000)

	w.drive(6*time.Hour, "alice")

	w.g.Expect(connReady(w.getConnection())).To(Equal("False TokenSecretNotFound Stalled, token False"))
	w.g.Expect(w.calls()).To(BeZero())
	w.g.Expect(w.eventsWith(v1alpha1.ReasonTokenSecretNotFound)).To(Equal(1))
	w.g.Expect(w.get("alice").Status).To(Equal(before.Status))

	w.create(w.tokenSecret(w.sim.Token()))
	w.reconcileConnection()
	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
	w.g.Expect(client.IgnoreNotFound(w.client.Get(w.ctx, client.ObjectKeyFromObject(before), before))).To(Succeed())
}

// TestServiceIsKnownAfterALostLock: somebody annotates the connection during its first listing, so that what that has found
// can't be written. The next pass, which need not list, knows all the same which service it is.
func TestServiceIsKnownAfterALostLock(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	w.create(w.tokenSecret(w.sim.Token()), w.connection())
	w.sim.OnCall(func(operation string, phase mfasim.Phase) {
		if operation == "ListAccounts" && phase == mfasim.Before {
			conn := w.getConnection()
			conn.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "x"}
			w.g.Expect(w.client.Update(w.ctx, conn)).To(Succeed())
		}
	})
	w.reconcileConnection()
	w.sim.OnCall(nil)
	w.clock.Step(time.Second)
	w.reconcileConnection()
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("True"))
	w.g.Expect(w.getConnection().Status.ServiceID).NotTo(BeEmpty())

	foreign := w.sim.ForeignToken("9999", mfasim.DefaultAdminLogin, 0)
	w.sim.AddOpaqueToken(foreign)
	w.setToken(foreign)
	w.g.Expect(connReady(w.getConnection())).To(HavePrefix("False ServiceChanged"))
}
