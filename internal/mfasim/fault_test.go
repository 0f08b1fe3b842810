package mfasim_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const createBob = `{"login":"bob","codeType":0}`

// troubled sends a creation to a tenant with one fault, and returns the answer and whether the account came to be.
func troubled(t *testing.T, f mfasim.Fault) (w *tenant, resp *http.Response, body []byte, made bool) {
	t.Helper()
	w = newTenant(t, mfasim.Options{})
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.SetFault(f)
	resp, err := w.send("POST", root+"/accounts", createBob)
	if err == nil {
		defer resp.Body.Close()
		body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		w.Expect(err).NotTo(HaveOccurred(), "the Content-Length agrees with the body")
	}
	_, made = w.Account("bob")
	w.Expect(w.Calls()).To(Equal(map[string]int{"CreateAccount": 1}))
	return w, resp, body, made
}

func TestFaultsThatAnswer(t *testing.T) {
	cases := map[string]struct {
		fault  mfasim.Fault
		status int
		body   string // what it begins with
		header map[string]string
		made   bool
	}{
		"status by default": {mfasim.Fault{Kind: mfasim.FaultStatus}, 500, `{"error":"INTERNAL_SERVER_ERROR","message":`, nil, false},
		"slow down": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 429, RetryAfter: "7"}, 429, `{"error":"TOO_MANY_REQUESTS"`,
			map[string]string{"Retry-After": "7", "Content-Type": "application/json"}, false},
		"a date to retry": {mfasim.Fault{Kind: mfasim.FaultStatus, Status: 503, RetryAfter: start.Format(http.TimeFormat), Body: "later"}, 503, "later",
			map[string]string{"Retry-After": "Sun, 01 Nov 2026 10:11:12 GMT"}, false},
		"no JSON":    {mfasim.Fault{Kind: mfasim.FaultNotJSON}, 200, "<html>", map[string]string{"Content-Type": "text/html"}, false},
		"NOK":        {mfasim.Fault{Kind: mfasim.FaultNOKBody}, 200, "NOK:full", nil, false},
		"NOK as err": {mfasim.Fault{Kind: mfasim.FaultNOKBody, Body: `{"err":"NOK:full"}`}, 200, `{"err":"NOK:full"}`, map[string]string{"Content-Type": "application/json"}, false},
		"redirect":   {mfasim.Fault{Kind: mfasim.FaultRedirect, Location: "https://evil.example.com/"}, 307, "", map[string]string{"Location": "https://evil.example.com/"}, false},
		"cut":        {mfasim.Fault{Kind: mfasim.FaultCutBody}, 201, `{"id":`, map[string]string{"Content-Type": "application/json"}, true},
		"endless":    {mfasim.Fault{Kind: mfasim.FaultEndlessBody}, 201, `{"content":[{"id":0},{"id":0},`, nil, true},
		"another's":  {mfasim.Fault{Kind: mfasim.FaultStatus, AccountLogin: "carol"}, 201, `{"id":`, nil, true},
		"this one's": {mfasim.Fault{Kind: mfasim.FaultStatus, AccountLogin: "BOB", Status: 403}, 403, `{"error":"FORBIDDEN"`, nil, false},
		"another op": {mfasim.Fault{Kind: mfasim.FaultStatus, Operation: "GetAccount"}, 201, `{"id":`, nil, true},
		"this op":    {mfasim.Fault{Kind: mfasim.FaultStatus, Operation: "CreateAccount"}, 500, `{"error":`, nil, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w, resp, body, made := troubled(t, tc.fault)
			w.Expect(resp.StatusCode).To(Equal(tc.status))
			w.Expect(string(body)).To(HavePrefix(tc.body))
			for key, value := range tc.header {
				w.Expect(resp.Header.Get(key)).To(Equal(value))
			}
			w.Expect(made).To(Equal(tc.made))
			switch tc.fault.Kind {
			case mfasim.FaultCutBody:
				w.Expect(json.Valid(body)).To(BeFalse())
			case mfasim.FaultEndlessBody:
				w.Expect(body).To(HaveLen(1<<20), "there would be more")
			}
		})
	}
}

func TestFaultsThatCloseTheConnection(t *testing.T) {
	for kind, done := range map[mfasim.FaultKind]bool{mfasim.FaultResetBefore: false, mfasim.FaultResetAfter: true} {
		t.Run(string(kind), func(t *testing.T) {
			w, resp, _, made := troubled(t, mfasim.Fault{Kind: kind})
			w.Expect(resp).To(BeNil())
			w.Expect(made).To(Equal(done))
		})
	}
}

// TestHangEndsWithTheClient: without an answer, which a client that gives up just then would take for work that was done.
func TestHangEndsWithTheClient(t *testing.T) {
	for name, fault := range map[string]mfasim.Fault{
		"hang":    {Kind: mfasim.FaultHang},
		"latency": {Kind: mfasim.FaultLatency, Latency: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, mfasim.Options{}) // its server waits for every call when the test ends
			w.SetFault(fault)
			called := make(chan struct{})
			w.OnCall(func(string, mfasim.Phase) { close(called) })
			transport := w.client.Transport.(*http.Transport)
			conn, err := tls.Dial("tcp", strings.TrimPrefix(w.url, "https://"), transport.TLSClientConfig)
			w.Expect(err).NotTo(HaveOccurred())
			defer func() { _ = conn.Close() }()
			_, err = io.WriteString(conn, "DELETE "+root+"/accounts/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
			w.Expect(err).NotTo(HaveOccurred())
			<-called

			w.Expect(conn.CloseWrite()).To(Succeed()) // a client that gives up, and still reads

			answer, err := io.ReadAll(conn)
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(string(answer)).To(BeEmpty())
		})
	}
}

func TestLatencyAddsToOtherFaults(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.SetFault(mfasim.Fault{Kind: mfasim.FaultLatency, Latency: time.Millisecond, Count: 1})
	w.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: 502, Count: 1})
	status, _ := w.call("GET", "/accounts", "")
	w.Expect(status).To(Equal(502))
	w.must(200, "GET", "/accounts", "") // both are used up
}

func TestFaultsCountAndClear(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "bob"})
	w.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: 403, AccountLogin: "bob", Count: 2})
	w.must(200, "GET", "/accounts", "")
	w.must(403, "GET", path, "")
	w.must(403, "PATCH", path, "{}")
	w.must(200, "GET", path, "")

	w.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus})
	w.must(500, "GET", path, "")
	w.must(500, "GET", "/nowhere", "")
	w.ClearFaults()
	w.must(200, "GET", path, "")
}

func TestProbabilityIsSeeded(t *testing.T) {
	outcomes := func(seed uint64) (statuses []int) {
		w := newTenant(t, mfasim.Options{Seed: seed})
		w.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Probability: 0.5})
		for range 32 {
			status, _ := w.call("GET", "/accounts", "")
			statuses = append(statuses, status)
		}
		return statuses
	}
	g := NewWithT(t)
	g.Expect(outcomes(7)).To(And(ContainElement(200), ContainElement(500)))
	g.Expect(outcomes(7)).To(Equal(outcomes(7)))
	g.Expect(outcomes(7)).NotTo(Equal(outcomes(8)))
}

func TestFaultsThatCanNeverAct(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	for _, f := range []mfasim.Fault{{Kind: "typo"}, {}, {Kind: mfasim.FaultStatus, Operation: "Typo"},
		{Kind: mfasim.FaultStatus, Probability: 2}, {Kind: mfasim.FaultStatus, Status: 99}, {Kind: mfasim.FaultStatus, Count: -1}} {
		w.Expect(func() { w.SetFault(f) }).To(Panic())
	}
}
