package controller

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestConnectionTroubleIsBounded plays a day of trouble, and its end.
func TestConnectionTroubleIsBounded(t *testing.T) {
	cases := map[string]struct {
		fault  mfasim.Fault
		want   string
		event  string
		probes int // at most, in a day
	}{
		"token rejected":    {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 401}, "False TokenRejected Stalled, token False", "TokenRejected", 289},
		"listing forbidden": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 403}, "False TokenRejected Stalled, token False", "TokenRejected", 289},
		"500":               {mfasim.Fault{Kind: mfasim.FaultStatus}, "False ServiceUnavailable Reconciling, token Unknown", "ServiceUnavailable", 289},
		"503":               {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 503}, "False RateLimited Reconciling, token Unknown", "RateLimited", 295},
		"reset":             {mfasim.Fault{Kind: mfasim.FaultResetBefore}, "False ServiceUnavailable Reconciling, token Unknown", "ServiceUnavailable", 600},
		"HTML":              {mfasim.Fault{Kind: mfasim.FaultNotJSON}, "False MalformedResponse Reconciling, token Unknown", "MalformedResponse", 289},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			before := w.apply(w.user("alice"))
			w.eventsWith("")
			w.sim.SetFault(tc.fault)
			w.clock.Step(10 * time.Minute)
			w.sim.ResetCalls()
			w.writes = map[string]int{}

			w.drive(24*time.Hour, "alice")

			w.g.Expect(connReady(w.getConnection())).To(Equal(tc.want))
			w.g.Expect(w.sim.Calls()).To(HaveLen(1))
			w.g.Expect(w.sim.Calls()["ListAccounts"]).To(And(BeNumerically(">", 200), BeNumerically("<=", tc.probes)))
			w.g.Expect(w.eventsWith(tc.event)).To(Equal(1))
			w.g.Expect(w.writes).To(Equal(map[string]int{statusWrites: 2}), "the change of Ready, and the stale listing")
			w.g.Expect(w.get("alice").Status).To(Equal(before.Status))
			w.expectDiscreet(nil)

			w.sim.ClearFaults()
			w.drive(6 * time.Minute)
			w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
			w.g.Expect(w.eventsWith("Reconciled")).To(Equal(1))
		})
	}
}

// A better token is tried at once, whatever the slow rhythm of the bad one.
func TestGoodTokenIsTriedAtOnce(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.RevokeToken(w.sim.Token())
	w.tick(10 * time.Minute)
	w.sim.ResetCalls()
	w.reconcileConnection()
	w.g.Expect(w.calls()).To(BeZero(), "a pass for another reason does not ask again")
	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, 0))
	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
	w.g.Expect(w.calls()).To(Equal(1))
}

// A connection that worked once and whose service then is gone, and ones that never worked.
func TestUnusableService(t *testing.T) {
	html, ca := otherServer(t, func(out http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(out, "<html>"+strings.Repeat("welcome ", 100)+"</html>")
	})
	notFound, _ := otherServer(t, http.NotFound)
	cases := map[string]struct {
		edit    func(*v1alpha1.MFAConnection)
		want    string
		message string
	}{
		"nobody listens": {func(c *v1alpha1.MFAConnection) { c.Spec.URL = "https://127.0.0.1:1" },
			"False ServiceUnavailable Reconciling, token Unknown", "connection refused"},
		"no such host": {func(c *v1alpha1.MFAConnection) { c.Spec.URL = "https://mfa.invalid" },
			"False ServiceUnavailable Reconciling, token Unknown", "can't be reached"},
		"not MFA": {func(c *v1alpha1.MFAConnection) { c.Spec.URL, c.Spec.CABundle = html, ca },
			"False MalformedResponse Reconciling, token Unknown", "check spec.url"},
		"no such path": {func(c *v1alpha1.MFAConnection) { c.Spec.URL, c.Spec.CABundle = notFound, ca },
			"False MalformedResponse Reconciling, token Unknown", "check spec.url"},
		"another CA": {func(c *v1alpha1.MFAConnection) { c.Spec.CABundle = anotherCA(t) },
			"False ServiceUnavailable Reconciling, token Unknown", "certificate not trusted"},
		"no CA": {func(c *v1alpha1.MFAConnection) { c.Spec.CABundle = "" },
			"False ServiceUnavailable Reconciling, token Unknown", "certificate not trusted"},
		"a CA that is none": {func(c *v1alpha1.MFAConnection) {
			c.Spec.CABundle = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"
		},
			"False InvalidSpec Stalled, token Unknown", "the CA bundle holds no certificate"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newBareWorld(t, mfasim.Options{})
			conn := w.connection()
			tc.edit(conn)
			w.create(w.tokenSecret(w.sim.Token()), conn, w.user("alice"))

			passes := w.drive(3*time.Hour, "alice")

			conn = w.getConnection()
			w.g.Expect(connReady(conn)).To(Equal(tc.want))
			w.g.Expect(condition(conn.Status.Conditions, v1alpha1.ConditionReady).Message).To(ContainSubstring(tc.message))
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"))
			w.g.Expect(passes).To(BeNumerically("<", 60))
			w.g.Expect(w.eventsWith(readyOf(conn.Status.Conditions).Reason)).To(Equal(1))
			w.expectDiscreet(w.get("alice"))
			if conn.Spec.URL != w.url {
				return // the URL can't be changed: a wrong one is mended by another connection
			}
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.CABundle = w.ca })
			w.drive(time.Minute, "alice")
			w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
		})
	}
}

// A 401 to a user's call says something about the token: one probe finds out, and everybody else keeps quiet until then.
func TestRefusedCallPutsTheTokenInDoubt(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.create(w.user("alice"), w.user("bob"))
	w.sim.RevokeToken(w.sim.Token())
	w.sim.ResetCalls()
	probes := w.listenTo(w.users.probes)
	_, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	_, err = w.pass("bob")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.sim.Calls()).To(Equal(map[string]int{"CreateAccount": 1}), "bob is not tried")
	w.g.Expect(probes.woken).To(Equal(map[string]int{"production": 1}))
	for _, name := range []string{"alice", "bob"} {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("False ConnectionNotReady Reconciling"))
	}
	w.drive(time.Hour, "alice", "bob")
	w.g.Expect(w.sim.Calls()["CreateAccount"]).To(Equal(1))
	w.g.Expect(w.sim.Calls()["ListAccounts"]).To(BeNumerically("<=", 13))
	w.g.Expect(connReady(w.getConnection())).To(Equal("False TokenRejected Stalled, token False"))
	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, 0))
	w.drive(time.Minute, "alice", "bob")
	for _, name := range []string{"alice", "bob"} {
		w.g.Expect(ready(w.get(name).Status.Conditions)).To(Equal("True Reconciled"))
	}
}

// A service that refuses one kind of call as unauthenticated and lists all the same must not be asked in a circle.
func TestRefusedCallWithAGoodToken(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", AccountLogin: "alice@example.com", Kind: mfasim.FaultStatus, Status: 401})
	w.create(w.user("alice"), w.user("bob"))
	w.eventsWith("")
	w.sim.ResetCalls()

	w.drive(time.Hour, "alice", "bob")

	w.g.Expect(ready(w.get("bob").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.get("alice").Status.Conditions).NotTo(BeEmpty())
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Or(Equal("False Denied Stalled"), Equal("False ConnectionNotReady Reconciling")))
	w.g.Expect(connReady(w.getConnection())).To(Equal("True Reconciled, token True"))
	w.g.Expect(w.sim.Calls()["CreateAccount"]).To(BeNumerically("<=", 15))
	w.g.Expect(w.sim.Calls()["ListAccounts"]).To(BeNumerically("<=", 15))
	w.sim.ClearFaults()
	w.drive(11*time.Minute, "alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
}

// anotherCA is a valid certificate that signed nothing here.
func anotherCA(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	g.Expect(err).NotTo(HaveOccurred())
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
