package mfaclient

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"
)

const testToken = "canary-token-93f1"

var testStart = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

// service is an HTTPS server that records what it is asked. Answers are literal text, so that a wrong name in the client
// cannot cancel out against the same wrong name in a server built from the same table.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	calls []seen
}

type seen struct {
	Method, URI, Body, From string
	Header                  http.Header
}

func serve(t *testing.T, handler http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.calls = append(s.calls, seen{
			Method: r.Method, URI: r.RequestURI, Body: string(body), From: r.RemoteAddr, Header: r.Header.Clone(),
		})
		s.mu.Unlock()
		handler(w, r)
	}))
	s.Config.ErrorLog = discard()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// discard keeps the server quiet about connections that a test breaks on purpose.
func discard() *log.Logger { return log.New(io.Discard, "", 0) }

func (s *service) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.calls...)
}

func (s *service) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// answer always says the same; several answers are given one after the other, the last one for ever.
func answer(status int, bodies ...string) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, bodies[0])
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
	}
}

func newClient(t *testing.T, s *service, change ...func(*Config)) *Client {
	t.Helper()
	token, err := NewToken([]byte(testToken))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	cfg := Config{BaseURL: s.URL, CABundle: s.ca(), Token: token, Clock: clocktesting.NewFakeClock(testStart)}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}

// fault returns the *Error that every failing call must give.
func fault(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	NewWithT(t).Expect(ok).To(BeTrue(), "want *Error, got %v", err)
	return e
}

const aliceJSON = `{"id": 48213, "login": "alice", "firstName": "Alice", "lastName": "Martin", "email": "alice@example.com",
 "phone": "+33612345678", "language": "en", "role": "USER", "status": "PENDING_ACTIVATION", "blocked": false,
 "createdBy": "API", "lastAuthenticationDate": "2026-11-01T10:11:12Z"}`

var alice = Account{
	ID: "48213", Login: "alice", FirstName: "Alice", LastName: "Martin", Email: "alice@example.com", Phone: "+33612345678",
	Language: "en", Role: RoleUser, State: StatePendingActivation, CreatedBy: "API",
	LastAuthenticated: time.Date(2026, 11, 1, 10, 11, 12, 0, time.UTC),
}
