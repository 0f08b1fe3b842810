package mfaclient

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
)

func jwtOf(header, claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(claims)) + "." + enc([]byte("signature"))
}

func TestNewToken(t *testing.T) {
	cases := map[string]struct{ raw, want string }{
		"plain":               {"abc.def", "abc.def"},
		"newline at the end":  {"abc\n", "abc"},
		"Windows newline":     {"abc\r\n", "abc"},
		"white space around":  {" \tabc \n\n", "abc"},
		"empty":               {"", ""},
		"only white space":    {" \n", ""},
		"space inside":        {"Bearer abc", ""},
		"newline inside":      {"abc\ndef", ""},
		"header injection":    {"abc\r\nX: y", ""},
		"control character":   {"abc\x00", ""},
		"delete character":    {"abc\x7f", ""},
		"byte order mark":     {"\ufeffabc", ""},
		"non-breaking spaces": {"abc\u00a0def", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got, err := NewToken([]byte(tc.raw))
			g.Expect(got.reveal()).To(Equal(tc.want))
			if tc.want == "" {
				g.Expect(err).To(HaveOccurred())
				g.Expect(err.Error()).NotTo(ContainSubstring("abc"))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
		})
	}
}

func TestTokenEqual(t *testing.T) {
	g := NewWithT(t)
	a, _ := NewToken([]byte("a"))
	a2, _ := NewToken([]byte("a\n"))
	b, _ := NewToken([]byte("b"))
	g.Expect(a.Equal(a2)).To(BeTrue())
	g.Expect(a.Equal(b)).To(BeFalse())
	g.Expect(a.Equal(Token{})).To(BeFalse())
	g.Expect(Token{}.Equal(Token{})).To(BeTrue())
}

func TestClaims(t *testing.T) {
	hs := `{"alg":"HS256","typ":"JWT"}`
	exp := time.Unix(1800000000, 0).UTC()
	cases := map[string]struct {
		token string
		want  Claims
	}{
		"full":               {jwtOf(hs, `{"sub":"4711/admin","exp":1800000000}`), Claims{"4711/admin", "4711", "admin", exp}},
		"no expiry":          {jwtOf(hs, `{"sub":"4711/admin"}`), Claims{Subject: "4711/admin", ServiceID: "4711", AdminLogin: "admin"}},
		"slash in the login": {jwtOf(hs, `{"sub":"4711/a/b"}`), Claims{Subject: "4711/a/b", ServiceID: "4711", AdminLogin: "a/b"}},
		"other subject":      {jwtOf(hs, `{"sub":"someone","exp":1800000000}`), Claims{Subject: "someone", ExpiresAt: exp}},
		"expiry only":        {jwtOf(hs, `{"exp":1800000000.5}`), Claims{ExpiresAt: exp}},
		"long expired":       {jwtOf(hs, `{"exp":1}`), Claims{ExpiresAt: time.Unix(1, 0).UTC()}},
		"strange types":      {jwtOf(hs, `{"sub":7,"exp":"soon","aud":{"x":1}}`), Claims{}},
		"strange expiry":     {jwtOf(hs, `{"sub":"4711/admin","exp":1e300}`), Claims{Subject: "4711/admin", ServiceID: "4711", AdminLogin: "admin"}},
		"unknown algorithm":  {jwtOf(`{"alg":"XX1"}`, `{"sub":"4711/admin"}`), Claims{Subject: "4711/admin", ServiceID: "4711", AdminLogin: "admin"}},
		"no algorithm":       {jwtOf(`{}`, `{"sub":"4711/admin"}`), Claims{Subject: "4711/admin", ServiceID: "4711", AdminLogin: "admin"}},
		"opaque":             {"b3BhcXVl", Claims{}},
		"opaque with dots":   {"a.b.c", Claims{}},
		"claims are a list":  {jwtOf(hs, `[]`), Claims{}},
		"claims are null":    {jwtOf(hs, `null`), Claims{}},
		"claims cut short":   {jwtOf(hs, `{"sub":"4711/admin"`), Claims{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			token, err := NewToken([]byte(tc.token))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(token.Claims()).To(Equal(tc.want))
		})
	}
	NewWithT(t).Expect(Token{}.Claims()).To(Equal(Claims{}))
}

func FuzzClaims(f *testing.F) {
	for _, seed := range []string{`{"sub":"4711/admin","exp":1800000000}`, `{"exp":1e300}`, `{"exp":-1e308}`, `{"sub":"/"}`, `null`, `{"exp":0}`} {
		f.Add(jwtOf(`{"alg":"HS256"}`, seed))
	}
	f.Add("opaque")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := NewToken([]byte(raw))
		if err != nil {
			return
		}
		claims := token.Claims()
		if again, err := NewToken([]byte(unsigned(token.reveal()))); err != nil || again.Claims() != claims {
			t.Errorf("another signature makes %+v of %+v", again.Claims(), claims)
		}
		if _, err := claims.ExpiresAt.MarshalJSON(); err != nil {
			t.Errorf("a date that cannot be written: %v", err)
		}
		if claims.ServiceID != "" && claims.Subject != claims.ServiceID+"/"+claims.AdminLogin {
			t.Errorf("%+v does not add up", claims)
		}
	})
}

// unsigned replaces the signature of a JWT. Without three parts, or with a third that is no signature, it is none.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		if _, err := base64.RawURLEncoding.DecodeString(parts[2]); err == nil {
			parts[2] = "c2lnbmVkIGJ5IG5vYm9keQ"
		}
	}
	return strings.Join(parts, ".")
}

// FuzzOpaqueTokens: every token that can stand in a header is taken, JWT or not, and sent as it is.
func FuzzOpaqueTokens(f *testing.F) {
	for _, seed := range []string{"opaque", "a.b.c", "..", " x ", "x y", "\x7f", "\u00e9", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	visible := regexp.MustCompile(`^[!-~]+$`)
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := NewToken([]byte(raw))
		if plain := strings.TrimSpace(raw); visible.MatchString(plain) {
			if err != nil || token.reveal() != plain {
				t.Errorf("%q became %q, %v", raw, token.reveal(), err)
			}
		} else if err == nil || token.reveal() != "" {
			t.Errorf("%q was taken", raw)
		}
		token.Claims()
	})
}

// FuzzSubject: a subject is split at its first slash, and one without a slash names no service.
func FuzzSubject(f *testing.F) {
	for _, seed := range []string{"4711/admin", "4711/a/b", "/", "admin", "", "4711/", "/admin", "\u2028/\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		quoted, err := json.Marshal(subject)
		if err != nil || !utf8.ValidString(subject) {
			return
		}
		token, err := NewToken([]byte(jwtOf(`{"alg":"HS256"}`, `{"sub":`+string(quoted)+`}`)))
		if err != nil {
			t.Fatal(err)
		}
		want := Claims{Subject: subject}
		if slash := strings.IndexByte(subject, '/'); slash >= 0 {
			want.ServiceID, want.AdminLogin = subject[:slash], subject[slash+1:]
		}
		if got := token.Claims(); got != want {
			t.Errorf("%q was read as %+v", subject, got)
		}
	})
}
