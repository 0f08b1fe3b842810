package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// service is the simulated MFA service behind TLS. It starts without any account, so that N users are N accounts.
type service struct {
	sim    *mfasim.Service
	server *httptest.Server

	mu      sync.Mutex
	patched map[string]time.Time // when an account was last updated through the API, by id
}

func newService() *service {
	s := &service{sim: mfasim.New(mfasim.Options{NoAdmin: true}), patched: map[string]time.Time{}}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.EnableHTTP2 = true
	s.server.StartTLS()
	return s
}

// serve also notes when an account is written: the simulator counts calls but does not say for whom.
func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	s.sim.ServeHTTP(w, r)
	if r.Method == http.MethodPatch {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.patched[path.Base(r.URL.Path)] = time.Now()
	}
}

func (s *service) patchedAt(id string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.patched[id]
}

func (s *service) authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})
}
