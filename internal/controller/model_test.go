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
			first, again := playModel(t, seed), playModel(t, seed)
			for n := range min(len(first), len(again)) {
				g.Expect(again[n] == first[n]).To(BeTrue(), "after\n  %s\ncame\n  %s\nand when played again\n  %s",
					strings.Join(first[:n], "\n  "), first[n], again[n])
			}
			g.Expect(again).To(HaveLen(len(first)))
		})
	}
}

// playModel plays the world of a seed and returns its story, line by line.
func playModel(t *testing.T, seed uint64) []string {
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
	if *modelTell {
		t.Log("\n  " + strings.Join(m.told, "\n  "))
	}
	for n, line := range m.told {
		m.told[n] = strings.ReplaceAll(line, m.namespace, "team") // each world has namespaces of its own
	}
	return m.told
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
