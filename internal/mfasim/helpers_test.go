package mfasim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const root = "/auth/v1/customer/services"

// start is the time at which every test begins.
var start = time.Date(2026, 11, 1, 10, 11, 12, 0, time.UTC)

// object is a JSON object as a client without types sees it; numbers keep their digits.
type object = map[string]any

// tenant is a simulator behind TLS, its clock, and a client with a token: what a test talks to.
type tenant struct {
	*WithT
	*mfasim.Service
	clock  *clocktesting.FakeClock
	url    string
	client *http.Client
	token  string
}

func newTenant(t *testing.T, opts mfasim.Options) *tenant {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	opts.Clock = clk
	sim := mfasim.New(opts)
	server := httptest.NewTLSServer(sim)
	t.Cleanup(server.Close)
	return &tenant{WithT: NewWithT(t), Service: sim, clock: clk, url: server.URL, client: server.Client(), token: sim.Token()}
}

// send makes one request and gives back the raw response; the body is read by the caller.
func (w *tenant) send(method, path, body string) (*http.Response, error) {
	req, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	w.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.token)
	return w.client.Do(req)
}

// call makes one request below the root of the customer endpoints and decodes the answer.
func (w *tenant) call(method, path, body string) (int, object) {
	return w.raw(method, root+path, body)
}

func (w *tenant) raw(method, path, body string) (int, object) {
	resp, err := w.send(method, path, body)
	w.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	w.Expect(err).NotTo(HaveOccurred())
	if len(data) == 0 {
		return resp.StatusCode, nil
	}
	w.Expect(resp.Header.Get("Content-Type")).To(Equal("application/json"))
	var out object
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	w.Expect(dec.Decode(&out)).To(Succeed(), "%s", data)
	return resp.StatusCode, out
}

// must is call for requests that have to come out with a status.
func (w *tenant) must(want int, method, path, body string) object {
	status, out := w.call(method, path, body)
	w.Expect(status).To(Equal(want), "%s %s: %v", method, path, out)
	return out
}

// refused makes a request that has to be refused with a status and an error code.
func (w *tenant) refused(want int, code, method, path, body string) {
	status, out := w.call(method, path, body)
	w.Expect(status).To(Equal(want), "%s %s: %v", method, path, out)
	w.Expect(out).To(And(HaveKeyWithValue("error", code), HaveKeyWithValue("message", Not(BeEmpty()))))
}

// seed puts an account into the tenant and returns its path.
func (w *tenant) seed(fields mfasim.Account) string {
	return "/accounts/" + w.Seed(fields).ID.String()
}

// create makes an account by the API and returns its path and the answer.
func (w *tenant) create(login string, codeType string) (string, object) {
	out := w.must(http.StatusCreated, "POST", "/accounts", `{"login":"`+login+`","codeType":`+codeType+`}`)
	return "/accounts/" + out["id"].(json.Number).String(), out
}

// field collects one field of every item of a listing.
func field(listing object, name string) []any {
	var out []any
	for _, item := range listing["content"].([]any) {
		out = append(out, item.(object)[name])
	}
	return out
}

func (w *tenant) status(login string) string {
	a, ok := w.Account(login)
	w.Expect(ok).To(BeTrue(), "no account %s", login)
	return a.Status
}

// live is the account's live code, or empty when it has none.
func (w *tenant) live(login string) string {
	code, ok := w.LiveCode(login)
	w.Expect(ok).To(Equal(code != ""))
	return code
}
