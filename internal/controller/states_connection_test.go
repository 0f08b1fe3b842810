package controller

import (
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// listed lets an interval pass while every listing meets the fault.
func listed(fault mfasim.Fault) func(w *testWorld) {
	return func(w *testWorld) {
		fault.Operation = "ListAccounts"
		w.sim.SetFault(fault)
		w.tick(11 * time.Minute)
	}
}

// withToken lets the connection meet another token.
func withToken(token func(w *testWorld) string) func(w *testWorld) {
	return func(w *testWorld) { w.setToken(token(w)) }
}

// lasting is a token that runs out after a time.
func lasting(life time.Duration) func(w *testWorld) string {
	return func(w *testWorld) string { return w.sim.IssueToken(mfasim.DefaultAdminLogin, life) }
}

// connectionStates are the states of the connection named production.
var connectionStates = map[string]state{
	"not-seen": {ready: " ", happens: func(w *testWorld) {
		w.deleteObject(w.getConnection())
		w.create(w.connection())
	}},
	"not-seen-anew": {ready: "True Reconciled", happens: func(w *testWorld) {
		conn := w.getConnection()
		conn.Spec.ResyncInterval = metav1.Duration{Duration: time.Minute}
		w.g.Expect(w.client.Update(w.ctx, conn)).To(Succeed())
	}},
	"reconciled":   {ready: "True Reconciled", happens: func(*testWorld) {}},
	"with-users":   {ready: "True Reconciled", happens: func(w *testWorld) { w.apply(w.user("alice")); w.tick(11 * time.Minute) }},
	"expires-30-d": {ready: "True Reconciled", happens: withToken(lasting(29 * 24 * time.Hour))},
	"expires-7-d":  {ready: "True Reconciled", happens: withToken(lasting(6 * 24 * time.Hour))},
	"expires-1-d":  {ready: "True Reconciled", happens: withToken(lasting(time.Hour))},
	"changes-held": {ready: "True Reconciled", edits: []func(*v1alpha1.MFAConnection){limitOf(1)}, happens: func(w *testWorld) {
		w.apply(w.user("alice"))
		w.apply(w.user("bob"))
		w.remove("alice", "bob")
		w.drive(time.Minute, "alice", "bob")
	}},
	"deleting-in-use": {ready: "True Reconciled", happens: func(w *testWorld) {
		w.apply(w.user("alice"))
		w.deleteObject(w.getConnection())
		w.drive(time.Minute, "alice")
	}},

	"listing-incomplete": {ready: "False ListingIncomplete Reconciling", happens: func(w *testWorld) {
		w.apply(w.user("alice"))
		listed(mfasim.Fault{Kind: mfasim.FaultEmptyListing})(w)
	}},
	"rate-limited":       {ready: "False RateLimited Reconciling", happens: listed(mfasim.Fault{Kind: mfasim.FaultStatus, Status: 429, RetryAfter: "120"})},
	"unavailable":        {ready: "False ServiceUnavailable Reconciling", happens: listed(mfasim.Fault{Kind: mfasim.FaultStatus})},
	"malformed-response": {ready: "False MalformedResponse Reconciling", happens: listed(mfasim.Fault{Kind: mfasim.FaultNotJSON})},
	"listing-stale": {ready: "False ServiceUnavailable Reconciling", happens: func(w *testWorld) {
		listed(mfasim.Fault{Kind: mfasim.FaultStatus})(w)
		w.tick(time.Hour)
	}},

	"token-secret-not-found": {ready: "False TokenSecretNotFound Stalled", happens: func(w *testWorld) {
		w.deleteObject(w.tokenSecret(""))
		w.reconcileConnection()
	}},
	"token-secret-not-labelled": {ready: "False TokenSecretNotLabelled Stalled", happens: func(w *testWorld) {
		secret := w.tokenSecret(w.sim.Token())
		secret.Labels = nil
		w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
		w.reconcileConnection()
	}},
	"token-missing":   {ready: "False TokenMissing Stalled", happens: withToken(func(*testWorld) string { return "" })},
	"token-malformed": {ready: "False TokenMalformed Stalled", happens: withToken(func(*testWorld) string { return "one two" })},
	"token-rejected":  {ready: "False TokenRejected Stalled", happens: withToken(func(*testWorld) string { return "nobody-knows-this-one" })},
	"token-expired": {ready: "False TokenExpired Stalled", happens: func(w *testWorld) {
		w.setToken(lasting(time.Hour)(w))
		w.tick(2 * time.Hour)
	}},
	"service-changed": {ready: "False ServiceChanged Stalled", happens: func(w *testWorld) {
		w.apply(w.user("alice"))
		w.setToken(w.sim.ForeignToken("9999", mfasim.DefaultAdminLogin, 0))
	}},
	"selector-unusable": {ready: "False SelectorUnusable Stalled", happens: func(w *testWorld) {
		w.watchOnly(w.mfaNamespace)
		w.reconcileConnection()
	}},
	"invalid-spec": {ready: "False InvalidSpec Stalled", happens: func(w *testWorld) {
		w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.CABundle = "not a certificate" })
	}},
}
