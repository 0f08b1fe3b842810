package mfaclient

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

const testCode = "canary-code-55aa"

// prints gives every way a value may reach a log or a status.
func prints(v any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%X", "%q", "%p", "%t", "%e", "% x", "%#x", "%o"} {
		out[verb] = fmt.Sprintf(verb, v)
		out["pointer "+verb] = fmt.Sprintf(verb, &v)
	}
	if data, err := json.Marshal(v); err == nil {
		out["JSON"] = string(data)
	}
	if data, err := yaml.Marshal(v); err == nil {
		out["YAML"] = string(data)
	}
	if data, err := xml.Marshal(v); err == nil {
		out["XML"] = string(data)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
	out["slog"] = log.String()
	return out
}

func TestSecretsDoNotPrint(t *testing.T) {
	token, err := NewToken([]byte(testToken))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	code := NewCode(testCode)
	cfg := Config{BaseURL: "https://example.com", Token: token}
	client, err := New(cfg)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	issued := IssuedCode{Code: code, Link: code, Type: CodeTypeLink}
	cases := map[string]any{
		"token": token, "code": code, "pointer": &code, "issued code": issued, "pointer to issued code": &issued,
		"list": []IssuedCode{issued}, "map": map[string]Code{"x": code}, "config": cfg, "client": client, "client value": *client,
		"unexported field": struct{ code Code }{code}, "deep": struct{ x *IssuedCode }{&issued}, "claims": token.Claims(),
	}
	for name, v := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for how, text := range prints(v) {
				g.Expect(text).NotTo(ContainSubstring("canary"), how)
				g.Expect(strings.ToLower(text)).NotTo(ContainSubstring(fmt.Sprintf("%x", "canary")), how)
			}
		})
	}
	g := NewWithT(t)
	g.Expect(fmt.Sprintf("%v %s %#v %x %d", token, code, issued.Link, code, token)).To(
		Equal("[redacted] [redacted] [redacted] [redacted] [redacted]"))
	g.Expect(token.String() + code.GoString()).To(Equal("[redacted][redacted]"))
	_, err = json.Marshal(issued)
	g.Expect(err).To(MatchError(errNotPrintable))
	_, err = token.MarshalText()
	g.Expect(err).To(MatchError(errNotPrintable))
}

func TestCodeReveal(t *testing.T) {
	g := NewWithT(t)
	g.Expect(NewCode("c").Reveal()).To(Equal([]byte("c")))
	g.Expect(NewCode("c").IsZero()).To(BeFalse())
	g.Expect(NewCode("").IsZero()).To(BeTrue())
	g.Expect(Code{}.Reveal()).To(BeNil())
}

// TestErrorsTellNothing has the service repeat everything it was sent, in every place it can, for every kind of failure.
func TestErrorsTellNothing(t *testing.T) {
	const login, id = "canary-login", "canary-id"
	echo := func(r *http.Request) string {
		return fmt.Sprintf(`{"error":%q,"code":%q,"message":%q,"login":%q}`, r.Header.Get("Authorization"), testCode, r.RequestURI, login)
	}
	cases := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://canary.example/"+testToken, http.StatusFound)
		},
		"redirect nowhere": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://canary:%zz/")
			w.WriteHeader(http.StatusFound)
		},
		"NOK":     func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "NOK:"+echo(r)) },
		"no JSON": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, echo(r)+"canary") },
		"no code": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Replace(echo(r), "code", "secret", 1))
		},
		"reset":   func(w http.ResponseWriter, _ *http.Request) { kill(w, true) },
		"no HTTP": func(w http.ResponseWriter, _ *http.Request) { hijackWrite(w, "canary canary\r\n\r\n") },
		"bad size": func(w http.ResponseWriter, _ *http.Request) {
			hijackWrite(w, "HTTP/1.1 200 OK\r\nContent-Length: canary\r\n\r\n")
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) { hang(r) },
	}
	for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 503} {
		cases[http.StatusText(status)] = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "canary")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, echo(r))
		}
	}
	for name, handler := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, handler)
			c := newClient(t, s, func(cfg *Config) { cfg.Timeout = 200 * time.Millisecond })
			_, errGet := c.GetAccount(t.Context(), id)
			_, _, errCreate := c.CreateAccount(t.Context(), CreateAccountRequest{Login: login})
			_, errCode := c.IssueCode(t.Context(), id, PurposeRestore, CodeTypeShort)
			for _, err := range []error{errGet, errCreate, errCode} {
				g.Expect(err).To(HaveOccurred())
				for how, text := range prints(err) {
					g.Expect(text).NotTo(ContainSubstring("canary"), how)
				}
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					g.Expect(cause.Error()).NotTo(Or(ContainSubstring("canary"), ContainSubstring("127.0.0.1"), ContainSubstring("/auth")))
				}
			}
		})
	}
}

func hijackWrite(w http.ResponseWriter, text string) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

func TestErrorText(t *testing.T) {
	cases := map[string]Error{
		"CreateAccount: Conflict (status 409)":                              {Kind: KindConflict, Operation: "CreateAccount", Status: 409},
		"ListAccounts: Unavailable: host not found":                         {Kind: KindUnavailable, Operation: "ListAccounts", Reason: reasonNoHost},
		"IssueCode: Unavailable (status 500); it may have been carried out": {Kind: KindUnavailable, Operation: "IssueCode", Status: 500, Unclear: true},
		"GetAccount: RateLimited: the service asked to slow down":           {Kind: KindRateLimited, Operation: "GetAccount", Reason: reasonPaused, RetryAfter: time.Second},
		"X: Unknown": {Kind: 99, Operation: "X"},
	}
	for want, e := range cases {
		NewWithT(t).Expect(e.Error()).To(Equal(want))
	}
}
