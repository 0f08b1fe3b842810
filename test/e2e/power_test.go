package e2e

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// power is what keeps one manager going. Once it is cut, no request of that manager gets through and no answer reaches
// it, as if the process had been killed: whatever it still does, nobody hears of it.
type power struct {
	off     context.Context
	turnOff context.CancelFunc

	mu    sync.Mutex
	seen  map[string]int
	steps []moment
	lost  bool
	// since is the call or write with which the count begins; empty once it has.
	since string
	// cut is the moment at which the power is cut.
	cut moment
	// lose is a call or write whose answer is lost on the way, while the manager lives on. Its phase does not count.
	lose moment
}

// moment is the instant just before or just after a remote call or a write to the cluster reaches the other side.
type moment struct {
	what  string // the call or write
	nth   int    // how often this manager has made it, from 1
	phase mfasim.Phase
}

var errPowerOff = errors.New("the manager is dead")

func newPower() *power {
	p := &power{seen: map[string]int{}}
	p.off, p.turnOff = context.WithCancel(context.Background())
	return p
}

// arm starts the count anew, at the first call or write of the name since, or now when that is empty, and says what is to
// happen from then on. A moment of no name never comes.
func (p *power) arm(since string, cut, lose moment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.steps, p.since, p.cut, p.lose = map[string]int{}, nil, since, cut, lose
}

// hasLost tells whether the answer that was to be lost is.
func (p *power) hasLost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

func (p *power) isOff() bool { return p.off.Err() != nil }

// begin is called just before a call or write reaches the other side. It returns how often that was, and whether the
// manager lives on.
func (p *power) begin(what string) (nth int, alive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since != "" && p.since != what {
		return 0, !p.isOff()
	}
	p.since = ""
	p.seen[what]++
	return p.seen[what], p.pass(moment{what, p.seen[what], mfasim.Before})
}

// end is called just after the other side has done the work, before the manager hears of it.
func (p *power) end(what string, nth int) (alive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pass(moment{what, nth, mfasim.After})
}

// call is begin and end for the simulator's hook, which does not say which call it is about: there is one at a time.
func (p *power) call(op string, phase mfasim.Phase) (alive bool) {
	if phase == mfasim.Before {
		_, alive = p.begin(op)
		return alive
	}
	p.mu.Lock()
	nth := p.seen[op]
	p.mu.Unlock()
	return p.end(op, nth)
}

func (p *power) pass(now moment) (alive bool) {
	if p.isOff() || now.nth == 0 {
		return !p.isOff()
	}
	p.steps = append(p.steps, now)
	if now == p.cut {
		p.turnOff()
		return false
	}
	if now.phase == mfasim.After && now.what == p.lose.what && now.nth == p.lose.nth {
		p.lost = true
		return false
	}
	return true
}

// recorded is every moment so far, in order.
func (p *power) recorded() []moment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]moment(nil), p.steps...)
}

// wrap is for rest.Config: the way to the API server.
func (p *power) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		what := writeOf(req)
		if what == "" {
			return p.send(next, req)
		}
		nth, alive := p.begin(what)
		if !alive {
			return nil, errPowerOff
		}
		resp, err := p.send(next, req)
		if err == nil && !p.end(what, nth) {
			_ = resp.Body.Close()
			return nil, errPowerOff
		}
		return resp, err
	})
}

func (p *power) send(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	context.AfterFunc(p.off, cancel) // ends watches too
	resp, err := next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &endingBody{resp.Body, cancel}
	return resp, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

type endingBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// writeOf names a write by method and kind, such as "PATCH mfausers/status" or "PATCH secrets, dry run"; empty for reads,
// for the lease, for questions to the API server that change nothing, and for events: they are sent on the side, in no
// order, and nothing depends on them.
func writeOf(req *http.Request) string {
	if req.Method == http.MethodGet {
		return ""
	}
	parts := strings.Split(req.URL.Path, "/")
	at := len(parts) - 1
	for n, part := range parts {
		if part == "namespaces" && n+2 < len(parts) {
			at = n + 2
		}
	}
	kind := parts[at]
	if len(parts) > at+2 {
		kind += "/" + parts[at+2]
	}
	if kind == "secrets" && len(parts) > at+1 && parts[at+1] == tokenSecretName {
		kind = "token secret" // for its finalizer; the others hold codes
	}
	if kind == "leases" || kind == "events" || strings.HasSuffix(kind, "reviews") {
		return ""
	}
	if req.URL.Query().Get("dryRun") != "" {
		kind += ", dry run"
	}
	return req.Method + " " + kind
}
