package mfaclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/utils/clock"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "trustbuilder-mfa-operator"
	maxRedirects     = 3
	maxIdleConns     = 16 // as many as workers may call at once; more would be closed after each call
	maxHeader        = 64 << 10
)

// Config says how to reach one service.
type Config struct {
	BaseURL   string        // https only; may have a path, for a gateway; no user, query or fragment
	CABundle  []byte        // PEM certificates trusted besides those of the system; may be empty
	Token     Token         // required
	Gate      *Gate         // limiter and pause; keep it when the token is rotated. Default: its own, without a limit
	Routes    Routes        // default: DefaultRoutes
	Clock     clock.Clock   // default: the real one
	Observe   func(Call)    // told of every call that went out, also from several goroutines at once; default: nobody
	MayCall   func() error  // asked before each call, which an error keeps from being made; default: every call may be made
	UserAgent string        // default: trustbuilder-mfa-operator
	Timeout   time.Duration // of one call with its answer, without the wait for the limiter; default: 30 s
}

// Call is what metrics may know about a call.
type Call struct {
	Operation string        // name in the table of routes
	Outcome   string        // "ok" or the name of a Kind
	Status    int           // HTTP status; 0 when there was no answer
	Duration  time.Duration // without the wait for the limiter
}

// Client makes the calls to one service with one token. It is safe for use from several goroutines. Methods return
// errors of type *Error only.
type Client struct {
	base      *url.URL
	http      *http.Client
	token     Token
	gate      *Gate
	routes    Routes
	clock     clock.Clock
	observe   func(Call)
	mayCall   func() error
	userAgent string
	timeout   time.Duration
}

// New checks the configuration and makes a client; it calls nobody. Errors hold no part of the URL: it may hide a password.
func New(cfg Config) (*Client, error) {
	base, err := parseBase(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.Token.reveal() == "" {
		return nil, errors.New("the token is missing")
	}
	roots, err := rootCAs(cfg.CABundle)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: base, http: newHTTPClient(roots), token: cfg.Token, gate: cfg.Gate, routes: cfg.Routes, clock: cfg.Clock,
		observe: cfg.Observe, mayCall: cfg.MayCall, userAgent: cfg.UserAgent, timeout: cfg.Timeout,
	}
	c.setDefaults()
	return c, nil
}

func (c *Client) setDefaults() {
	if c.clock == nil {
		c.clock = clock.RealClock{}
	}
	if c.gate == nil {
		c.gate = NewGate(c.clock, 0, 1)
	}
	if c.routes.operations == nil {
		c.routes = DefaultRoutes()
	}
	if c.observe == nil {
		c.observe = func(Call) {}
	}
	if c.mayCall == nil {
		c.mayCall = func() error { return nil }
	}
	if c.userAgent == "" {
		c.userAgent = defaultUserAgent
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
}

func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("the URL cannot be read")
	case u.Scheme != "https":
		return nil, errors.New("the URL must start with https://")
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	case u.User != nil:
		return nil, errors.New("the URL must not hold a user or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the URL must not have a query or fragment")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// SameEndpoint tells whether two URLs are one to a client: the host in another case or with the dot of the root, the
// standard port and slashes at the end make no difference to it. One that can't be read is like itself alone.
func SameEndpoint(a, b string) bool { return Endpoint(a) == Endpoint(b) }

// Endpoint is the same text for all URLs that are one to a client.
func Endpoint(raw string) string {
	u, err := parseBase(raw)
	if err != nil {
		return raw
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if port == "" {
		port = "443"
	}
	return "https://" + net.JoinHostPort(host, port) + u.EscapedPath()
}

// rootCAs extends the system's certificates, so that a bundle for a gateway does not lock out the public host.
func rootCAs(bundle []byte) (*x509.CertPool, error) {
	if len(bundle) == 0 {
		return nil, nil // the system's
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(bundle) {
		return nil, errors.New("the CA bundle holds no certificate")
	}
	return pool, nil
}

func newHTTPClient(roots *x509.CertPool) *http.Client {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

// checkRedirect follows a GET within the same host, three times at most. Otherwise the 3xx itself is the answer, which do
// turns into an error: the token goes nowhere else, and a write is never repeated elsewhere.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet || len(via) > maxRedirects || !sameHost(next.URL, via[0].URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return "443"
	}
	return a.Scheme == "https" && b.Scheme == "https" && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}
