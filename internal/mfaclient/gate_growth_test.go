package mfaclient

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"
)

// A service that asks for quiet again and again is asked ever more rarely, until the same call goes well.
func TestPausesGrow(t *testing.T) {
	g := NewWithT(t)
	clock := clocktesting.NewFakeClock(time.Now())
	gate := NewGate(clock, 0, 1)
	strike := func(operation string, asked time.Duration) time.Duration {
		gate.slowDown(operation, asked)
		rest := gate.PausedFor()
		clock.Step(rest)
		return rest
	}
	g.Expect(strike("DeleteAccount", time.Second)).To(Equal(time.Second), "the first pause is as asked for")
	for _, want := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 5 * time.Minute, 5 * time.Minute} {
		gate.wentWell("GetAccount") // says nothing about deletions
		g.Expect(strike("DeleteAccount", time.Second)).To(Equal(want))
	}
	g.Expect(strike("DeleteAccount", 30*time.Minute)).To(Equal(30*time.Minute), "never shorter than asked for")
	gate.wentWell("DeleteAccount")
	g.Expect(strike("DeleteAccount", time.Second)).To(Equal(time.Second))

	gate.slowDown("CreateAccount", 5*time.Second)
	gate.slowDown("CreateAccount", 5*time.Second)
	g.Expect(gate.PausedFor()).To(Equal(5*time.Second), "calls under way together count as one")
}
