package mfaclient

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"
)

// TestReach: any answer will do, no token goes out, and what is wrong is said in a fixed sentence.
func TestReach(t *testing.T) {
	g := NewWithT(t)
	var seen http.Header
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	g.Expect(Reach(t.Context(), server.URL, ca)).To(Succeed())
	g.Expect(seen).NotTo(HaveKey("Authorization"))

	cases := map[string]struct {
		url  string
		ca   []byte
		want string
	}{
		"an unknown CA":  {server.URL, nil, "Reach: Unavailable: certificate not trusted"},
		"nobody there":   {"https://127.0.0.1:1", nil, "Reach: Unavailable: connection refused"},
		"no TLS":         {"http://127.0.0.1", nil, "the URL must start with https://"},
		"no certificate": {server.URL, []byte("x"), "the CA bundle holds no certificate"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(Reach(t.Context(), tc.url, tc.ca)).To(MatchError(tc.want))
		})
	}
}
