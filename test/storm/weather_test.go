package storm

import (
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// troubles are what may happen to a call, and how often: three calls in ten fail.
var troubles = []mfasim.Fault{
	{Kind: mfasim.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "1", Probability: 0.03},
	{Kind: mfasim.FaultStatus, Status: http.StatusInternalServerError, Probability: 0.08},
	{Kind: mfasim.FaultCutBody, Probability: 0.07},
	{Kind: mfasim.FaultResetAfter, Probability: 0.09},
	{Kind: mfasim.FaultResetBefore, Probability: 0.07},
}

// delays come on top of that.
var delays = []mfasim.Fault{
	{Kind: mfasim.FaultLatency, Latency: 100 * time.Millisecond, Probability: 0.2},
	{Kind: mfasim.FaultLatency, Latency: time.Second, Probability: 0.05},
	{Kind: mfasim.FaultLatency, Latency: 5 * time.Second, Probability: 0.01},
}

// shifts is how often a listing shifts between two pages because an account comes. One that goes would be a removal that
// the operator has to make good, and no fault of the listing.
const shifts = 3

// brew makes the service fail. A listing is one call in many pages: each fails so much less often that a listing as a whole
// fails as often as any other call. Else none of many pages would ever end well, and nothing would happen.
func (c *scene) brew() {
	pages := (*users+strangers)/100 + 1
	for _, op := range mfasim.Operations() {
		for _, trouble := range troubles {
			trouble.Operation = op
			if op == "ListAccounts" {
				trouble.Probability = 1 - math.Pow(1-trouble.Probability, 1/float64(pages))
			}
			c.service.sim.SetFault(trouble)
		}
	}
	for _, delay := range delays {
		c.service.sim.SetFault(delay)
	}
	c.service.sim.SetFault(mfasim.Fault{
		Operation: "ListAccounts", Kind: mfasim.FaultPageShift, ShiftAdd: true, Probability: 0.3, Count: shifts,
	})
}

// rage kills the manager time and again, replaces the token twice and restarts the API server once.
func (c *scene) rage(dice *rand.Rand, kills int) {
	for n := range kills {
		c.awaitCalls()
		pause(c.ctx, time.Duration((0.5+dice.Float64())*float64(betweenKills)))
		c.keeper.kill()
		say("kill %d of %d; %s", n+1, kills, c.progress())
		switch n {
		case kills / 4, 3 * kills / 4:
			c.rotate()
		case kills / 2:
			say("the API server restarts")
			c.g.Expect(c.cluster.RestartAPIServer()).To(Succeed())
			say("the API server is back")
		}
	}
}

// awaitCalls waits until the manager calls the service: killing one that is still starting would prove little. The limit is
// for a connection that waits after a failed listing.
func (c *scene) awaitCalls() {
	before := total(c.service.sim.Calls())
	c.g.Eventually(func() int { return total(c.service.sim.Calls()) }, time.Minute).Should(BeNumerically(">", before))
}

// rotate puts a new token in the place of the old one, which stops to work at once.
func (c *scene) rotate() {
	token := c.service.sim.IssueToken(mfasim.DefaultAdminLogin, 0)
	old := c.report.token
	if old == "" {
		old = c.service.sim.Token()
	}
	c.must(func() error { return c.admin.Update(c.ctx, c.token(token)) })
	c.service.sim.RevokeToken(old)
	c.report.token = token
	say("the token is another")
}
