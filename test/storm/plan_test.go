package storm

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// fate is what happens to a user after it has been made.
type fate string

const (
	stays    fate = "stays as it is"
	edited   fate = "is edited in the manifest"
	drifts   fate = "is edited in the console"
	moves    fate = "changes its groups"
	enrols   fate = "uses the code"
	blocked  fate = "is removed by Block"
	deleted  fate = "is removed by Delete"
	perFates      = 20
)

// fates of every twenty users.
var fates = map[fate]int{edited: 4, drifts: 1, moves: 1, enrols: 3, blocked: 1, deleted: 1}

// person is one user of the plan.
type person struct {
	name string
	fate fate
}

func (p person) login() string { return p.name + "@example.com" }

// grouped tells whether the manifest states groups.
func (p person) grouped() bool { return p.fate == moves || p.fate == edited }

// act is one thing of the plan: a user is made, or meets its fate.
type act struct {
	who  person
	make bool
}

// plan is all that people do, in order.
type plan struct {
	people []person
	acts   []act
}

// newPlan makes everybody in some order, and lets each meet its fate some time after that.
func newPlan(dice *rand.Rand, n int) plan {
	var p plan
	type timed struct {
		act
		at float64
	}
	var timeline []timed
	for i := range n {
		who := person{name: fmt.Sprintf("user-%04d", i), fate: fateOf(i % perFates)}
		p.people = append(p.people, who)
		made := dice.Float64() * 0.7
		timeline = append(timeline, timed{act{who, true}, made})
		if who.fate != stays {
			timeline = append(timeline, timed{act{who, false}, made + dice.Float64()*(1-made)})
		}
	}
	slices.SortFunc(timeline, func(a, b timed) int {
		if a.at < b.at {
			return -1
		}
		return 1
	})
	for _, t := range timeline {
		p.acts = append(p.acts, t.act)
	}
	return p
}

// fateOf spreads the fates over twenty users.
func fateOf(i int) fate {
	for _, f := range []fate{edited, drifts, moves, enrols, blocked, deleted} {
		if i < fates[f] {
			return f
		}
		i -= fates[f]
	}
	return stays
}
