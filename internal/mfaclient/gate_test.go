package mfaclient

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"
)

func newClock() *clocktesting.FakeClock { return clocktesting.NewFakeClock(testStart) }

// soon ends a Wait that should not have blocked, so that the test fails instead of hanging.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// waiting starts a Wait and returns when it is blocked on the clock.
func waiting(ctx context.Context, g *WithT, clk *clocktesting.FakeClock, gate *Gate) <-chan error {
	done := make(chan error, 1)
	go func() { done <- gate.Wait(ctx) }()
	g.Eventually(clk.HasWaiters).Should(BeTrue())
	return done
}

func TestGateKeepsToTheRate(t *testing.T) {
	g := NewWithT(t)
	clk := newClock()
	gate := NewGate(clk, 2, 3)
	for range 3 {
		g.Expect(gate.Wait(soon(t))).To(Succeed())
	}
	done := waiting(soon(t), g, clk, gate)
	clk.Step(499 * time.Millisecond)
	g.Consistently(done, "20ms").ShouldNot(Receive())
	clk.Step(time.Millisecond)
	g.Eventually(done).Should(Receive(BeNil()))
}

func TestGateWaitEndsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	clk := newClock()
	gate := NewGate(clk, 1, 1)
	g.Expect(gate.Wait(soon(t))).To(Succeed())

	ctx, cancel := context.WithCancel(t.Context())
	done := waiting(ctx, g, clk, gate)
	cancel()
	g.Eventually(done).Should(Receive(MatchError(context.Canceled)))
	g.Expect(gate.Wait(ctx)).To(MatchError(context.Canceled))

	// The turn that was given up is free again.
	clk.Step(time.Second)
	g.Expect(gate.Wait(soon(t))).To(Succeed())
}

func TestGateWithoutALimit(t *testing.T) {
	g := NewWithT(t)
	gate := NewGate(newClock(), 0, 0)
	for range 1000 {
		g.Expect(gate.Wait(soon(t))).To(Succeed())
	}
}

func TestGateSetLimit(t *testing.T) {
	g := NewWithT(t)
	clk := newClock()
	gate := NewGate(clk, 0, 0)
	gate.SetLimit(1, 0)
	g.Expect(gate.Wait(soon(t))).To(Succeed())
	done := waiting(soon(t), g, clk, gate)
	clk.Step(time.Second)
	g.Eventually(done).Should(Receive(BeNil()))

	gate.SetLimit(10, 50)
	clk.Step(5 * time.Second)
	for range 50 {
		g.Expect(gate.Wait(soon(t))).To(Succeed())
	}
}

func TestGatePause(t *testing.T) {
	cases := map[string]struct {
		pauses []time.Duration
		want   time.Duration
	}{
		"none":                {nil, 0},
		"one":                 {[]time.Duration{time.Minute}, time.Minute},
		"longer one after":    {[]time.Duration{time.Minute, time.Hour}, time.Hour},
		"longer one before":   {[]time.Duration{time.Minute, time.Second}, time.Minute},
		"longer than an hour": {[]time.Duration{1 << 62}, time.Hour},
		"negative":            {[]time.Duration{-time.Minute}, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			clk := newClock()
			gate := NewGate(clk, 0, 0)
			for _, d := range tc.pauses {
				gate.Pause(d)
			}
			g.Expect(gate.PausedFor()).To(Equal(tc.want))
			if tc.want == 0 {
				g.Expect(gate.Wait(soon(t))).To(Succeed())
				return
			}
			e := fault(t, gate.Wait(soon(t)))
			g.Expect(e.Kind).To(Equal(KindRateLimited))
			g.Expect(e.RetryAfter).To(Equal(tc.want))
			clk.Step(tc.want)
			g.Expect(gate.Wait(soon(t))).To(Succeed())
		})
	}
}

func TestGateResume(t *testing.T) {
	g := NewWithT(t)
	gate := NewGate(newClock(), 0, 0)
	gate.Pause(time.Hour)
	gate.Resume()
	g.Expect(gate.PausedFor()).To(BeZero())
	g.Expect(gate.Wait(soon(t))).To(Succeed())
}

func TestGatePauseReachesThoseInTheQueue(t *testing.T) {
	g := NewWithT(t)
	clk := newClock()
	gate := NewGate(clk, 1, 1)
	g.Expect(gate.Wait(soon(t))).To(Succeed())
	done := waiting(soon(t), g, clk, gate)
	gate.Pause(time.Minute)
	clk.Step(time.Second)
	var err error
	g.Eventually(done).Should(Receive(&err))
	g.Expect(fault(t, err).RetryAfter).To(Equal(59 * time.Second))
}

func TestAPausedGateDoesNotQueue(t *testing.T) {
	g := NewWithT(t)
	clk := newClock()
	gate := NewGate(clk, 1, 1)
	g.Expect(gate.Wait(soon(t))).To(Succeed())
	gate.Pause(time.Minute)
	g.Expect(fault(t, gate.Wait(soon(t))).Kind).To(Equal(KindRateLimited))
}

func TestGatePauseWhenTheClockIsSetBack(t *testing.T) {
	g := NewWithT(t)
	clk := newClock()
	gate := NewGate(clk, 0, 0)
	gate.Pause(time.Hour)
	clk.SetTime(testStart.Add(-24 * time.Hour))
	g.Expect(gate.PausedFor()).To(Equal(time.Hour))
}

func TestAGateOutlivesItsClient(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(429, ""))
	gate := NewGate(newClock(), 5, 10)
	share := func(cfg *Config) { cfg.Gate = gate }
	g.Expect(newClient(t, s, share).SendCode(t.Context(), "1")).NotTo(Succeed())
	err := newClient(t, s, share).SendCode(t.Context(), "1")
	g.Expect(fault(t, err).Reason).To(Equal(reasonPaused))
	g.Expect(s.seen()).To(HaveLen(1))
}

func TestWaitingForATurnEndsWithTheCaller(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(204, ""))
	clk := newClock()
	c := newClient(t, s, func(cfg *Config) { cfg.Gate = NewGate(clk, 1, 1) })
	g.Expect(c.SendCode(t.Context(), "1")).To(Succeed())
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := c.SendCode(ctx, "1")
	g.Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue())
	g.Expect(fault(t, err).Kind).To(Equal(KindUnavailable))
	g.Expect(fault(t, err).Unclear).To(BeFalse())
	g.Expect(s.seen()).To(HaveLen(1))
}
