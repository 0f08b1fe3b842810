package manager

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errDeposed is what a manager gets instead of a write or a call once another may lead.
var errDeposed = errors.New("the lease of this manager has run out")

// tenure is the time in which no other manager can lead. A process or machine that was frozen for longer finds, when it goes
// on, the answers of its calls, among them a code that its successor has cancelled; and it takes the elector up to
// renewDeadline to find out. Until then nothing of it may get out.
type tenure struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	renewed time.Time // when the last renewal that went well was begun
}

// check tells whether this manager still leads for certain.
func (t *tenure) check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	// By the wall clock too: the other one stands still while a machine is suspended.
	age := max(now.Sub(t.renewed), now.Round(0).Sub(t.renewed.Round(0)))
	if t.renewed.IsZero() || age >= leaseDuration {
		return errDeposed
	}
	return nil
}

// watch is for the access of the manager as a whole: it sees the elector's writes go by. The elector itself does not tell
// when it renewed.
func (t *tenure) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !isRenewal(req) {
			return next.RoundTrip(req)
		}
		begun := t.clock.Now() // its time on record is this or later
		resp, err := next.RoundTrip(req)
		if err == nil && resp.StatusCode < http.StatusMultipleChoices {
			t.mu.Lock()
			t.renewed = begun
			t.mu.Unlock()
		}
		return resp, err
	})
}

// isRenewal tells whether a request takes or keeps the lease. Nobody else here writes leases.
func isRenewal(req *http.Request) bool {
	return (req.Method == http.MethodPost || req.Method == http.MethodPut) &&
		strings.HasPrefix(req.URL.Path, "/apis/coordination.k8s.io/") && strings.Contains(req.URL.Path, "/leases")
}

// newClient is client.New for the controllers: their writes end with the tenure. Events and the elector have clients of
// their own.
func (t *tenure) newClient(config *rest.Config, options client.Options) (client.Client, error) {
	fenced := rest.CopyConfig(config)
	fenced.Wrap(t.fence)
	options.HTTPClient = nil // the one that all share has no fence
	return client.New(fenced, options)
}

func (t *tenure) fence(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodGet {
			if err := t.check(); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip is part of http.RoundTripper.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
