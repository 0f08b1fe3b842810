package mfasim

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Service is one simulated tenant. It is an http.Handler and safe for use by several goroutines.
type Service struct {
	opts Options
	mux  *http.ServeMux

	// mu guards all below. One lock is enough: a request holds it for microseconds, and never while it waits or writes to the network.
	mu      sync.Mutex
	offset  time.Duration
	nextID  ID
	signKey []byte
	token   string
	tokens  map[string]token
	store   store
	codes   map[string]*code
	issued  map[string]int
	groups  []group
	outbox  []Mail
	audit   []auditEvent
	calls   map[string]int
	onCall  func(op string, phase Phase)
	faults  []*Fault
	dice    *mathrand.Rand
}

// New makes a tenant that holds its administrator and nothing else.
func New(opts Options) *Service {
	opts = opts.withDefaults()
	s := &Service{
		opts:    opts,
		mux:     http.NewServeMux(),
		nextID:  opts.FirstID,
		signKey: make([]byte, 32),
		tokens:  map[string]token{},
		store:   store{byLogin: map[string]*account{}},
		codes:   map[string]*code{},
		issued:  map[string]int{},
		calls:   map[string]int{},
		dice:    mathrand.New(mathrand.NewPCG(opts.Seed, 0)),
	}
	if _, err := rand.Read(s.signKey); err != nil {
		panic(err) // crypto/rand never fails on the systems Go supports
	}
	s.routeAPI()
	s.routeAdmin()
	if !opts.NoAdmin {
		s.Seed(Account{Login: opts.AdminLogin, Email: opts.AdminLogin, Role: RoleAdministrator, Status: StatusActivated})
	}
	s.token = s.IssueToken(opts.AdminLogin, tokenLife)
	return s
}

// ServeHTTP answers the customer endpoints, and the simulator's own admin side under /_sim/.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Now is the time on the tenant's clock.
func (s *Service) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the tenant's clock against the one it was given. Tests that hold a fake clock step that one instead;
// this is for a simulator that runs as a program on the real clock.
func (s *Service) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// now is for callers that hold the lock.
func (s *Service) now() time.Time { return s.opts.Clock.Now().Add(s.offset) }

// stamp spells a time as the contract does: RFC 3339, UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
