package manager

import (
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/leaderelection"
	clocktesting "k8s.io/utils/clock/testing"
)

const (
	lease  = "https://cluster/apis/coordination.k8s.io/v1/namespaces/system/leases"
	secret = "https://cluster/api/v1/namespaces/team/secrets/alice-mfa"
)

// TestTenure: what a manager may write and call follows the renewals of its lease.
func TestTenure(t *testing.T) {
	renewal := exchange{http.MethodPut, lease + "/leader", http.StatusOK}
	cases := map[string]struct {
		before []exchange    // one after the other
		wait   time.Duration // after them
		leads  bool
	}{
		"before there is a lease":    {nil, 0, false},
		"with a lease just made":     {[]exchange{{http.MethodPost, lease, http.StatusCreated}}, 0, true},
		"until the lease runs out":   {[]exchange{renewal}, leaseDuration - 1, true},
		"from when it has run out":   {[]exchange{renewal}, leaseDuration, false},
		"another was faster":         {[]exchange{{http.MethodPut, lease + "/leader", http.StatusConflict}}, 0, false},
		"the API server was down":    {[]exchange{{http.MethodPut, lease + "/leader", 0}}, 0, false},
		"looking is not holding":     {[]exchange{{http.MethodGet, lease + "/leader", http.StatusOK}}, 0, false},
		"other writes renew nothing": {[]exchange{renewal, {http.MethodPatch, secret, http.StatusOK}}, leaseDuration, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			clk := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
			lead := &tenure{clock: clk}
			for _, e := range tc.before {
				_ = e.over(lead.watch) // whether it renews is seen below
			}
			clk.SetTime(clk.Now().Add(tc.wait))

			write, read := exchange{http.MethodPatch, secret, http.StatusOK}, exchange{http.MethodGet, secret, http.StatusOK}
			g.Expect(write.over(lead.fence) == nil).To(Equal(tc.leads), "a write")
			g.Expect(lead.check() == nil).To(Equal(tc.leads), "a call")
			g.Expect(read.over(lead.fence)).To(Succeed(), "reading is free")
		})
	}
}

// TestTenureCountsFromBeforeTheRenewal: the time on the lease is that of the request, however long the answer takes.
func TestTenureCountsFromBeforeTheRenewal(t *testing.T) {
	g := NewWithT(t)
	clk := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	lead := &tenure{clock: clk}
	slow := lead.watch(roundTripper(func(req *http.Request) (*http.Response, error) {
		clk.SetTime(clk.Now().Add(leaseDuration))
		return &http.Response{StatusCode: http.StatusOK, Request: req, Body: http.NoBody}, nil
	}))
	req, err := http.NewRequest(http.MethodPut, lease+"/leader", strings.NewReader("{}"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = slow.RoundTrip(req)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lead.check()).To(MatchError(errDeposed))
}

// exchange is a request and the status of its answer, 0 for none.
type exchange struct {
	method, url string
	status      int
}

func (e exchange) over(wrap func(http.RoundTripper) http.RoundTripper) error {
	req, err := http.NewRequest(e.method, e.url, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	resp, err := wrap(roundTripper(func(*http.Request) (*http.Response, error) {
		if e.status == 0 {
			return nil, http.ErrServerClosed
		}
		return &http.Response{StatusCode: e.status, Request: req, Body: http.NoBody}, nil
	})).RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// TestTakeover: whoever stands by works within the 20 seconds that the docs promise, however the dice of its looks fall.
func TestTakeover(t *testing.T) {
	g := NewWithT(t)
	look := time.Duration(float64(retryPeriod) * (1 + leaderelection.JitterFactor))
	g.Expect(look+leaseDuration+look).To(BeNumerically("<", 20*time.Second), "it sees the last renewal, lets it run out, and looks again")
	g.Expect(renewDeadline).To(BeNumerically("<=", leaseDuration-4*time.Second), "the old leader has time to end its calls")
}
