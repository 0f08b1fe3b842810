package controller

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var (
	modelSeeds = flag.Uint64("seeds", 30, "how many worlds TestModel plays")
	modelFrom  = flag.Uint64("from", 1, "the first of them")
	modelSeed  = flag.Uint64("seed", 0, "the one world that TestModel plays; 0: all of them")
	modelTell  = flag.Bool("tell", false, "TestModel tells what happens in worlds that end well, too")
)

// modelStepsEach is how many steps a world is played for.
const modelStepsEach = 40

// TestModel plays worlds by dice: manifests, policy, console, persons and misfortune do what they like in any order, and
// after each settling the promises hold. Each seed is one world; a failure tells its story and how to play it again.
func TestModel(t *testing.T) {
	first, last := *modelFrom, *modelFrom+*modelSeeds-1
	if *modelSeed != 0 {
		first, last = *modelSeed, *modelSeed
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { playModel(t, seed) })
	}
}

// TestModelPlaysAgain plays seeds twice: a failure that does not come again can't be looked into.
func TestModelPlaysAgain(t *testing.T) {
	for _, seed := range []uint64{5, 164} { // the one has rivals, the other failed listings
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(playModel(t, seed)).To(Equal(playModel(t, seed)))
		})
	}
}

// playModel plays the world of a seed and returns its story.
func playModel(t *testing.T, seed uint64) string {
	m := newModelWorld(t, seed)
	for range 3 {
		m.createManifest()
	}
	m.play(time.Minute)
	for n := 1; n <= modelStepsEach && len(m.wrong) == 0; n++ {
		m.step()
		if m.dice.IntN(3) == 0 {
			continue // two steps at once
		}
		m.play(pick(m, 30*time.Second, 2*time.Minute, 12*time.Minute))
		if len(m.wrong) == 0 {
			m.checkAlways()
		}
		if n%5 == 0 {
			m.settleDown()
		}
	}
	m.settleDown()
	if len(m.wrong) > 0 {
		t.Fatalf("%s\n\nwhat happened:\n  %s\n\nplay it again with: make model SEED=%d",
			strings.Join(m.wrong, "\n"), strings.Join(m.told, "\n  "), seed)
	}
	story := strings.Join(m.told, "\n  ")
	if *modelTell {
		t.Log("\n  " + story)
	}
	return strings.ReplaceAll(story, m.namespace, "team") // each world has namespaces of its own
}

// settleDown ends all misfortune and gives the operator two intervals and a bit.
func (m *modelWorld) settleDown() {
	if len(m.wrong) > 0 {
		return
	}
	m.tell("-- settles")
	m.sim.ClearFaults()
	m.killIn = 0
	m.play(2*modelInterval + 5*time.Minute)
	if len(m.wrong) == 0 {
		m.checkSettled()
	}
	m.g.Expect(m.dead).To(BeFalse())
}
