package mfaclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestNewChecksItsConfiguration(t *testing.T) {
	token, _ := NewToken([]byte("t"))
	good := Config{BaseURL: "https://kiwi.myinwebo.com", Token: token}
	cases := map[string]struct {
		change func(*Config)
		want   string
	}{
		"good":            {func(*Config) {}, ""},
		"gateway path":    {func(c *Config) { c.BaseURL = "https://gw.example.com/mfa/" }, ""},
		"port":            {func(c *Config) { c.BaseURL = "https://gw.example.com:8443" }, ""},
		"http":            {func(c *Config) { c.BaseURL = "http://canary.example.com" }, "https://"},
		"no scheme":       {func(c *Config) { c.BaseURL = "canary.example.com" }, "https://"},
		"empty":           {func(c *Config) { c.BaseURL = "" }, "https://"},
		"no host":         {func(c *Config) { c.BaseURL = "https:///canary" }, "no host"},
		"only a port":     {func(c *Config) { c.BaseURL = "https://:443" }, "no host"},
		"user":            {func(c *Config) { c.BaseURL = "https://u:canary@example.com" }, "user or password"},
		"query":           {func(c *Config) { c.BaseURL = "https://example.com?canary" }, "query"},
		"fragment":        {func(c *Config) { c.BaseURL = "https://example.com#canary" }, "fragment"},
		"unreadable":      {func(c *Config) { c.BaseURL = "https://canary\x7f" }, "cannot be read"},
		"no token":        {func(c *Config) { c.Token = Token{} }, "token is missing"},
		"CA of no PEM":    {func(c *Config) { c.CABundle = []byte("canary") }, "no certificate"},
		"CA of a bad PEM": {func(c *Config) { c.CABundle = pemOf([]byte("canary")) }, "no certificate"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cfg := good
			tc.change(&cfg)
			_, err := New(cfg)
			if tc.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
			g.Expect(err.Error()).NotTo(ContainSubstring("canary"))
		})
	}
}

func TestDefaults(t *testing.T) {
	g := NewWithT(t)
	token, _ := NewToken([]byte("t"))
	c, err := New(Config{BaseURL: "https://example.com", Token: token})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.timeout).To(Equal(30 * time.Second))
	g.Expect(c.routes.List()).To(Equal(DefaultRoutes().List()))
	transport := c.http.Transport.(*http.Transport)
	g.Expect(transport.MaxIdleConnsPerHost).To(Equal(16))
	g.Expect(transport.TLSClientConfig.MinVersion).To(BeEquivalentTo(tls.VersionTLS12))
	g.Expect(transport.TLSClientConfig.RootCAs).To(BeNil(), "the system's")
}

func TestAGatewayPathComesFirst(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(204, ""))
	c := newClient(t, s, func(cfg *Config) { cfg.BaseURL = s.URL + "/mfa%2Fx/"; cfg.UserAgent = "other/1" })
	g.Expect(c.DeleteAccount(t.Context(), "a/b")).To(Succeed())
	g.Expect(s.seen()[0].URI).To(Equal("/mfa%2Fx/auth/v1/customer/services/accounts/a%2Fb"))
	g.Expect(s.seen()[0].Header.Get("User-Agent")).To(Equal("other/1"))
}

func TestRedirects(t *testing.T) {
	elsewhere := serve(t, answer(200, aliceJSON))
	cases := map[string]struct {
		target func(*service, *http.Request) string
		status int
		reason string // "" when it is followed
		calls  int
	}{
		"within the host": {func(_ *service, r *http.Request) string { return hop(r, 1) }, 302, "", 2},
		"three times":     {func(_ *service, r *http.Request) string { return hop(r, 3) }, 307, "", 4},
		"four times":      {func(_ *service, r *http.Request) string { return hop(r, 4) }, 302, reasonRedirected, 4},
		"in circles":      {func(_ *service, r *http.Request) string { return r.RequestURI }, 308, reasonRedirected, 4},
		"another port":    {func(*service, *http.Request) string { return elsewhere.URL + "/x" }, 302, reasonRedirectedOut, 1},
		"another name": {func(s *service, _ *http.Request) string {
			return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
		}, 301, reasonRedirectedOut, 1},
		"plain HTTP": {func(s *service, _ *http.Request) string {
			return strings.Replace(s.URL, "https", "http", 1)
		}, 302, reasonRedirectedOut, 1},
		"nowhere": {func(*service, *http.Request) string { return "" }, 302, reasonRedirected, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var s *service
			s = serve(t, func(w http.ResponseWriter, r *http.Request) {
				target := tc.target(s, r)
				if target == "done" {
					answer(200, aliceJSON)(w, r)
					return
				}
				if target != "" {
					w.Header().Set("Location", target)
				}
				w.WriteHeader(tc.status)
			})
			got, err := newClient(t, s).GetAccount(t.Context(), "48213")
			g.Expect(s.seen()).To(HaveLen(tc.calls))
			g.Expect(elsewhere.seen()).To(BeEmpty())
			for _, call := range s.seen() {
				g.Expect(call.Header.Get("Authorization")).To(Equal("Bearer " + testToken))
			}
			if tc.reason == "" {
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(got).To(Equal(alice))
				return
			}
			e := fault(t, err)
			g.Expect(e.Kind).To(Equal(KindMalformed))
			g.Expect(e.Status).To(Equal(tc.status))
			g.Expect(e.Reason).To(Equal(tc.reason))
		})
	}
}

// hop counts redirects in the query and ends after n.
func hop(r *http.Request, n int) string {
	var done int
	_, _ = fmt.Sscan(r.URL.Query().Get("hop"), &done)
	if done == n {
		return "done"
	}
	return fmt.Sprintf("%s?hop=%d", r.URL.Path, done+1)
}

func TestAWriteIsNeverRedirected(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			})
			_, _, err := newClient(t, s).CreateAccount(t.Context(), CreateAccountRequest{Login: "alice"})
			g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
			g.Expect(fault(t, err).Unclear).To(BeTrue())
			g.Expect(fault(t, newClient(t, s).DeleteAccount(t.Context(), "1")).Unclear).To(BeFalse())
			g.Expect(s.seen()).To(HaveLen(2))
		})
	}
}

func pemOf(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }

// certificate is self-signed and good for 127.0.0.1, unless changed.
func certificate(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	g := NewWithT(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	change(template)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	g.Expect(err).NotTo(HaveOccurred())
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	good := certificate(t, func(*x509.Certificate) {})
	old := certificate(t, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(1, 0, 0) })
	other := certificate(t, func(c *x509.Certificate) { c.IPAddresses = nil; c.DNSNames = []string{"canary.example.com"} })
	cases := map[string]struct {
		server *tls.Config
		ca     []byte
		reason string // "" when it works
	}{
		"good":        {&tls.Config{Certificates: []tls.Certificate{good}}, pemOf(good.Certificate[0]), ""},
		"TLS 1.2":     {&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, pemOf(good.Certificate[0]), ""},
		"two in a CA": {&tls.Config{Certificates: []tls.Certificate{good}}, append(pemOf(old.Certificate[0]), pemOf(good.Certificate[0])...), ""},
		"TLS 1.1":     {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, pemOf(good.Certificate[0]), reasonTLS},
		"wrong CA":    {&tls.Config{Certificates: []tls.Certificate{good}}, pemOf(other.Certificate[0]), reasonUntrusted},
		"no CA":       {&tls.Config{Certificates: []tls.Certificate{good}}, nil, reasonUntrusted},
		"expired":     {&tls.Config{Certificates: []tls.Certificate{old}}, pemOf(old.Certificate[0]), reasonCertExpired},
		"wrong name":  {&tls.Config{Certificates: []tls.Certificate{other}}, pemOf(other.Certificate[0]), reasonWrongName},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := &service{Server: httptest.NewUnstartedServer(answer(201, `{"id":1,"login":"a","code":"c"}`))}
			s.Config.ErrorLog = discard()
			s.TLS = tc.server
			s.StartTLS()
			t.Cleanup(s.Close)
			c := newClient(t, s, func(cfg *Config) { cfg.CABundle = tc.ca })
			_, _, err := c.CreateAccount(t.Context(), CreateAccountRequest{Login: "a"})
			if tc.reason == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			e := fault(t, err)
			g.Expect(e.Kind).To(Equal(KindUnavailable))
			g.Expect(e.Reason).To(Equal(tc.reason))
			g.Expect(e.Unclear).To(BeFalse(), "nothing was sent")
		})
	}
}

func TestNoTLSAtAll(t *testing.T) {
	g := NewWithT(t)
	plain := httptest.NewServer(answer(200, aliceJSON))
	t.Cleanup(plain.Close)
	s := serve(t, answer(200, ""))
	c := newClient(t, s, func(cfg *Config) { cfg.BaseURL = strings.Replace(plain.URL, "http", "https", 1) })
	_, err := c.GetAccount(t.Context(), "1")
	g.Expect(fault(t, err).Reason).To(Equal(reasonTLS))
}

func TestNobodyListens(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200, aliceJSON))
	c := newClient(t, s)
	s.Close()
	_, err := c.IssueCode(t.Context(), "1", PurposeRestore, CodeTypeShort)
	want := &Error{Kind: KindUnavailable, Operation: "IssueCode", Reason: "connection refused"}
	g.Expect(fault(t, err)).To(Equal(want))
}

func TestTransportReasons(t *testing.T) {
	op := func(err error) error {
		return &net.OpError{Op: "dial", Err: &os.SyscallError{Syscall: "connect", Err: err}}
	}
	cases := map[string]struct {
		err  error
		want string
	}{
		"no such host":   {&net.DNSError{Err: "no such host", Name: "canary", IsNotFound: true}, reasonNoHost},
		"resolver slow":  {&net.DNSError{Err: "timeout", Name: "canary", IsTimeout: true}, reasonNoHost},
		"slow handshake": {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, reasonTimeout},
		"no route":       {op(syscall.EHOSTUNREACH), reasonUnreachable},
		"no network":     {op(syscall.ENETUNREACH), reasonUnreachable},
		"broken pipe":    {op(syscall.EPIPE), reasonClosed},
		"constraint":     {x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}, reasonUntrusted},
		"other":          {fmt.Errorf("canary"), reasonConnection},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(transportReason(fmt.Errorf("Get canary: %w", tc.err))).To(Equal(tc.want))
		})
	}
}

func TestACauseIsOneOfTwo(t *testing.T) {
	g := NewWithT(t)
	g.Expect(contextCause(fmt.Errorf("canary: %w", context.Canceled))).To(BeIdenticalTo(context.Canceled))
	g.Expect(contextCause(fmt.Errorf("canary: %w", context.DeadlineExceeded))).To(BeIdenticalTo(context.DeadlineExceeded))
	g.Expect(contextCause(fmt.Errorf("canary"))).To(BeNil())
}
