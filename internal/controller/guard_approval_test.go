package controller

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// TestApprovals: each token lets go the number it says, once.
func TestApprovals(t *testing.T) {
	again := func(w *testWorld) { w.startOperator() }
	approve := func(value string) func(*testWorld) { return func(w *testWorld) { w.approve(value) } }
	cases := map[string]struct {
		steps []func(*testWorld)
		gone  int
		hint  string // in the condition, of those that are left
	}{
		"some":                     {[]func(*testWorld){approve("2/a")}, 2, "needs a new token"},
		"all":                      {[]func(*testWorld){approve("5/a")}, 5, ""},
		"more than wait":           {[]func(*testWorld){approve("100/a")}, 5, ""},
		"one after another":        {[]func(*testWorld){approve("1/a"), approve("2/b")}, 3, "needs a new token"},
		"the same token":           {[]func(*testWorld){approve("1/a"), approve("1/a")}, 1, "needs a new token"},
		"the same, another number": {[]func(*testWorld){approve("1/a"), approve("3/a")}, 1, "needs a new token"},
		"there and back again":     {[]func(*testWorld){approve("1/a"), approve("1/b"), approve("1/a")}, 2, "needs a new token"},
		"with restarts":            {[]func(*testWorld){approve("1/a"), again, approve("1/b"), again, approve("1/a"), again}, 2, "needs a new token"},
		"removed and set again":    {[]func(*testWorld){approve("1/a"), approve(""), approve("1/a")}, 1, "needs a new token"},
		"no number":                {[]func(*testWorld){approve("yes/a")}, 0, "must be"},
		"no token":                 {[]func(*testWorld){approve("3")}, 0, "must be"},
		"an empty token":           {[]func(*testWorld){approve("3/")}, 0, "must be"},
		"none":                     {[]func(*testWorld){approve("0/a")}, 0, "must be"},
		"less than none":           {[]func(*testWorld){approve("-3/a")}, 0, "must be"},
		"a sign":                   {[]func(*testWorld){approve("+3/a")}, 0, "must be"},
		"too many":                 {[]func(*testWorld){approve("1001/a")}, 0, "must be"},
		"far too many":             {[]func(*testWorld){approve("99999999999999999999/a")}, 0, "must be"},
		"a token with a space":     {[]func(*testWorld){approve("3/a b")}, 0, "must be"},
		"a long token":             {[]func(*testWorld){approve("3/" + strings.Repeat("a", 65))}, 0, "must be"},
		"a very long value":        {[]func(*testWorld){approve(strings.Repeat("9ä", 1000))}, 0, "must be"},
		"mended":                   {[]func(*testWorld){approve("all"), approve("2/a")}, 2, "needs a new token"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := guarded(t, five...)
			w.remove(five...)
			w.drive(time.Minute, five...)
			for _, step := range tc.steps {
				step(w)
				w.drive(time.Minute, five...)
			}
			w.g.Expect(w.went(five...)).To(Equal(tc.gone))
			w.g.Expect(w.changesHeld().Message).To(ContainSubstring(tc.hint))
			w.g.Expect(w.changesHeld().Type == "").To(Equal(tc.gone == 5))
			w.g.Expect(w.getConnection().Status.Approval).To(BeNil(), "nothing is left over")
			w.writes = map[string]int{}
			w.drive(20*time.Minute, five...)
			w.g.Expect(w.writes).To(BeEmpty())
		})
	}
}

// TestApprovalIsForWhatIsHeld: what an approval leaves is not there for the next accident.
func TestApprovalIsForWhatIsHeld(t *testing.T) {
	t.Run("nothing is held", func(t *testing.T) {
		w := guarded(t, five...)
		w.approve("5/a")
		w.g.Expect(w.happened()).To(ContainElement(eventApprovalRefused))
		w.remove(five...)
		w.drive(time.Minute, five...)
		w.g.Expect(w.went(five...)).To(BeZero())
	})
	t.Run("the rest lapses when nothing waits", func(t *testing.T) {
		w := guarded(t, five...)
		w.remove("u1", "u2", "u3")
		w.drive(time.Minute, five...)
		w.approve("5/a")
		w.drive(time.Minute, five...)
		w.g.Expect(w.getConnection().Status.Approval).To(BeNil())
		w.g.Expect(w.happened()).To(ContainElements(eventApproved, eventApprovalLapsed))
		w.remove("u4", "u5")
		w.drive(time.Minute, five...)
		w.g.Expect(w.went(five...)).To(Equal(3))
	})
	t.Run("the rest lapses after a window", func(t *testing.T) {
		w := guarded(t, five...)
		w.remove(five...)
		w.drive(time.Minute, five...)
		w.approve("5/a")
		w.g.Expect(w.getConnection().Status.Approval).To(HaveField("Left", int32(5)))
		w.drive(61 * time.Minute) // in which no user has a pass
		w.g.Expect(w.getConnection().Status.Approval).To(BeNil())
		w.drive(time.Minute, five...)
		w.g.Expect(w.went(five...)).To(BeZero())
	})
	t.Run("it is over to the second", func(t *testing.T) {
		w := guarded(t, five...)
		conn := w.getConnection()
		conn.Status.Approval = &v1alpha1.RemovalApproval{Left: 1, ExpiresAt: metav1.NewTime(w.clock.Now())}
		w.g.Expect(useApproval(conn, w.clock.Now())).To(BeFalse())
		w.g.Expect(useApproval(conn, w.clock.Now().Add(-time.Second))).To(BeTrue())
		w.g.Expect(conn.Status.Approval).To(BeNil())
	})
	t.Run("the newest takes the place of what another left", func(t *testing.T) {
		w := guarded(t, five...)
		w.remove(five...)
		w.drive(time.Minute, five...)
		w.approve("4/a")
		w.approve("1/b")
		w.drive(time.Minute, five...)
		w.g.Expect(w.went(five...)).To(Equal(1))
	})
}

// TestHandledTokensAreBounded: a hundred are remembered.
func TestHandledTokensAreBounded(t *testing.T) {
	g := NewWithT(t)
	s := &connectionScope{object: &v1alpha1.MFAConnection{}, use: usage{waiting: rules.Accounts{"1": {}}, heldKeys: []types.NamespacedName{{Name: "leaver"}}}}
	for n := range 150 {
		s.object.Annotations = map[string]string{v1alpha1.AnnotationApproveRemovals: fmt.Sprintf("1/t%d", n)}
		s.handleApproval()
	}
	g.Expect(s.object.Status.HandledApprovalTokens).To(HaveLen(100))
	g.Expect(s.object.Status.HandledApprovalTokens).To(And(ContainElement("t50"), ContainElement("t149")))
	for _, n := range s.notices {
		g.Expect(n.kind).To(Equal(corev1.EventTypeNormal), n.text)
	}
}

// TestTenantsAndTheGuard: a namespace's users can neither approve nor let go what is not theirs.
func TestTenantsAndTheGuard(t *testing.T) {
	w := guarded(t, five...)
	w.remove(five...)
	w.drive(time.Minute, five...)
	w.edit("u1", func(u *v1alpha1.MFAUser) {
		u.Annotations = map[string]string{v1alpha1.AnnotationApproveRemovals: "5/a"}
	})
	w.drive(time.Minute, five...)
	w.g.Expect(w.went(five...)).To(BeZero(), "the annotation means nothing on an MFAUser")

	rival := w.user("u2", func(u *v1alpha1.MFAUser) {
		u.Namespace = w.mfaNamespace
		u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"}
	})
	w.create(rival)
	w.settled(rival)
	w.g.Expect(w.client.Delete(w.ctx, rival)).To(Succeed())
	w.drive(time.Minute, five...)
	w.g.Expect(w.went(five...)).To(BeZero(), "nor does orphan on a namesake elsewhere")

	for _, name := range []string{"u1", "u2", "u3"} {
		w.edit(name, func(u *v1alpha1.MFAUser) { u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} })
	}
	w.drive(time.Minute, five...)
	for _, name := range five {
		w.g.Expect(w.get(name).Name).To(BeEmpty(), name)
	}
	w.g.Expect(w.removals()).To(ConsistOf("Block u4@example.com released", "Block u5@example.com released"), "what is left is few enough")
}

// TestApprovalWhileNothingIsHeld: a removal that is only tried again is not held, and leaves no approval open for what comes.
func TestApprovalWhileNothingIsHeld(t *testing.T) {
	w := guarded(t, five...)
	w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Status: http.StatusInternalServerError, Count: 1})
	w.g.Expect(w.client.Delete(w.ctx, w.get("u1"))).To(Succeed())
	_, err := w.pass("u1")
	w.g.Expect(err).To(HaveOccurred())
	w.approve("500/early")
	w.g.Expect(w.getConnection().Status.Approval).To(BeNil())
	w.settle("u1")
	w.clock.Step(2 * time.Minute)
	w.remove(five[1:]...)
	w.drive(time.Minute, five[1:]...)
	w.g.Expect(w.went(five...)).To(Equal(1))
}
