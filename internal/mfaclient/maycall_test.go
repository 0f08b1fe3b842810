package mfaclient

import (
	"errors"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
)

// TestACallThatMayNotBeMade does not reach the service, and leaves nothing open.
func TestACallThatMayNotBeMade(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	var refusal error
	c := newClient(t, s, func(cfg *Config) { cfg.MayCall = func() error { return refusal } })

	g.Expect(c.DeleteAccount(t.Context(), "1")).To(Succeed())
	refusal = errors.New("no")
	g.Expect(fault(t, c.DeleteAccount(t.Context(), "1")).Kind).To(Equal(KindUnavailable))
	_, _, err := c.CreateAccount(t.Context(), CreateAccountRequest{Login: "alice"})
	g.Expect(fault(t, err).Unclear).To(BeFalse())
	g.Expect(s.seen()).To(HaveLen(1))
}
