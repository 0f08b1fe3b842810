package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// flow is something that the operator does in more than one step. Its crash points need no list: they are the calls and
// writes of a run in which nothing goes wrong.
type flow struct {
	name string
	// setup brings the world to where the flow begins, with a manager at work; nil: its connection is ready.
	setup func(*world)
	// cold flows have no manager until they have been triggered: its start is part of them.
	cold bool
	// trigger makes the operator begin.
	trigger func(*world)
	// done waits for what the flow promises and checks it, whatever happened on the way.
	done func(*world)
	// madeOf names some of its calls and writes, so that hooks that see nothing fail.
	madeOf []string
	// listing says that the flow begins with a listing; else listings are those of the interval and none of its own.
	listing bool
	// mailed says that the flow's code is in no Secret, so that none shows that it was issued.
	mailed bool
	// since leaves out what comes before the first call or write of this name, and repeats after it: another flow has them.
	since string
}

// lost is the answer of a call or write that gets lost while the manager lives on.
const lost mfasim.Phase = "lost"

// TestCrashPoints kills the manager just before and just after each call and write of each flow and starts another, and
// lets each answer get lost. Whatever happens, the outcome is that of the flow.
func TestCrashPoints(t *testing.T) {
	table := []string{fmt.Sprintf("%-28s%-8s%-38s%8s  %s", "flow", "", "at", "seconds", "calls until it was done")}
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			points, flawless := f.points(t)
			for _, at := range points {
				t.Run(at.String(), func(t *testing.T) {
					start := time.Now()
					calls, before := f.survive(t, at)
					if !f.mailed && storesCode(before) {
						NewWithT(t).Expect(codesAskedFor(calls)).To(BeNumerically("<=", codesAskedFor(flawless)),
							"an answer that is in the Secret is not asked for again")
					}
					table = append(table, fmt.Sprintf("%-28s%-8s%-38s%8.1f  %s", f.name, at.phase, fmt.Sprintf("%s (%d)", at.what, at.nth),
						time.Since(start).Seconds(), inWords(calls)))
				})
			}
		})
	}
	t.Logf("%d points:\n%s", len(table)-1, strings.Join(table, "\n"))
}

// storesCode tells whether a run has come so far that an answer with a code is in its Secret.
func storesCode(steps []moment) bool {
	issued := false
	for _, m := range steps {
		issued = issued || m.phase == mfasim.After && (m.what == "CreateAccount" || m.what == "IssueCode")
		if issued && m.phase == mfasim.After && m.what == "PATCH secrets" {
			return true
		}
	}
	return false
}

func codesAskedFor(calls map[string]int) int { return calls["CreateAccount"] + calls["IssueCode"] }

// inWords lists the calls but for listings, of which time makes ever more.
func inWords(calls map[string]int) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(calls)) {
		if op != "ListAccounts" {
			parts = append(parts, fmt.Sprintf("%d %s", calls[op], op))
		}
	}
	return strings.Join(parts, ", ")
}

// points plays the flow once and returns each moment of it, and each answer; and the remote calls it takes.
func (f flow) points(t *testing.T) (points []moment, calls map[string]int) {
	w := newWorld(t)
	op := f.begin(w, moment{}, moment{})
	f.done(w)
	w.awaitKept()
	steps := op.power.recorded()
	op.stop()
	for _, m := range steps {
		if m.what == "ListAccounts" && (m.nth > 1 || !f.listing) || f.since != "" && m.nth > 1 {
			continue
		}
		points = append(points, m)
		if m.phase == mfasim.After {
			points = append(points, moment{m.what, m.nth, lost})
		}
	}
	for _, part := range f.madeOf {
		w.g.Expect(points).To(ContainElement(moment{part, 1, mfasim.After}), "the hooks must see what the flow is made of")
	}
	return points, w.sim.Calls()
}

// survive plays the flow with trouble at one point. It returns the remote calls it took in all, and the moments of this very
// run up to the trouble: what is written on the side comes now before and now after a step of the flow.
func (f flow) survive(t *testing.T, at moment) (calls map[string]int, before []moment) {
	w := newWorld(t)
	if at.phase == lost {
		op := f.begin(w, moment{}, at)
		f.done(w)
		w.awaitKept()
		w.g.Expect(op.power.hasLost() || !f.always(at)).To(BeTrue(), "the answer must be lost")
		before = op.power.recorded()
		before = before[:slices.Index(before, moment{at.what, at.nth, mfasim.After})+1]
	} else {
		op := f.begin(w, at, moment{})
		if !f.always(at) {
			select {
			case <-op.ended:
			case <-time.After(comesWithin): // not this time: then it is killed where it happens to be
				op.power.turnOff()
			}
		}
		w.g.Eventually(op.power.isOff).Should(BeTrue(), "the moment must come")
		op.wait()
		before = op.power.recorded()
		w.start()
		f.done(w)
	}
	w.expectNoDeadCode()
	return w.sim.Calls(), before
}

// comesWithin is how long a moment is waited for that comes in some runs only.
const comesWithin = 5 * time.Second

// always tells whether a moment comes in every run: repeats, and what is written on the side, come in some only.
func (f flow) always(at moment) bool { return at.nth == 1 && slices.Contains(f.madeOf, at.what) }

// begin brings a flow under way, in a world where something is to happen to its manager.
func (f flow) begin(w *world, cut, lose moment) *operator {
	p := newPower()
	if f.cold {
		if f.setup != nil {
			f.setup(w)
		}
		p.arm(f.since, cut, lose)
		f.trigger(w)
		return w.startWith(p)
	}
	op := w.startWith(p)
	w.awaitConnection("True Reconciled")
	if f.setup != nil {
		f.setup(w)
		w.awaitKept()
	}
	w.sim.ResetCalls()
	p.arm(f.since, cut, lose)
	f.trigger(w)
	return op
}

// awaitKept waits for the connection and its token Secret to carry their finalizers, if a user holds an account through
// them: these writes come on the side, and belong to the flow that made the account.
func (w *world) awaitKept() {
	w.t.Helper()
	var users v1alpha1.MFAUserList
	w.g.Expect(w.client.List(w.ctx, &users, client.InNamespace(w.namespace))).To(Succeed())
	for _, user := range users.Items {
		if len(user.Finalizers) == 0 {
			continue
		}
		for _, kept := range []client.Object{w.getConnection(), w.tokenSecret("")} {
			w.g.Eventually(func() []string {
				w.g.Expect(w.client.Get(w.ctx, client.ObjectKeyFromObject(kept), kept)).To(Succeed())
				return kept.GetFinalizers()
			}).Should(ContainElement(v1alpha1.FinalizerInUse))
		}
	}
}

func (m moment) String() string { return fmt.Sprintf("%s %s %d", m.phase, m.what, m.nth) }

// expectNoDeadCode holds every code that is in a Secret against the service. Secrets of users that are gone are left out:
// there is no garbage collector here to remove them.
func (w *world) expectNoDeadCode() {
	w.t.Helper()
	var secrets corev1.SecretList
	w.g.Expect(w.client.List(w.ctx, &secrets, client.InNamespace(w.namespace), client.HasLabels{v1alpha1.LabelCode})).To(Succeed())
	for _, secret := range secrets.Items {
		inside := string(secret.Data[v1alpha1.KeyLink]) + string(secret.Data[v1alpha1.KeyCode])
		if owner := metav1.GetControllerOf(&secret); inside == "" || w.get(owner.Name).UID != owner.UID {
			continue
		}
		live, exists := w.sim.LiveCode(string(secret.Data[v1alpha1.KeyLogin]))
		w.g.Expect(exists && strings.Contains(inside, live)).To(BeTrue(), "the code in the Secret %s is dead", secret.Name)
	}
}
