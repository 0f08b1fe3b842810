package controller

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestRoomInTheRecord: who fills the record loses his own entries, and what the guard counts is never dropped.
func TestRoomInTheRecord(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	type entries struct {
		namespace string
		n         int
		age       time.Duration
	}
	cases := map[string]struct {
		record []entries
		lost   string
		full   bool
	}{
		"room":                                   {[]entries{{"a", 999, time.Minute}}, "", false},
		"the flood loses its own":                {[]entries{{"victim", 10, 20 * 24 * time.Hour}, {"flood", 990, 2 * time.Hour}}, "flood", false},
		"the oldest of equals":                   {[]entries{{"a", 500, 3 * time.Hour}, {"b", 500, 2 * time.Hour}}, "a", false},
		"what the guard counts stays":            {[]entries{{"victim", 10, 2 * time.Hour}, {"flood", 990, time.Minute}}, "victim", false},
		"all within the window":                  {[]entries{{"a", 500, 2 * time.Minute}, {"b", 500, time.Minute}}, "", true},
		"too old goes first, whosever it may be": {[]entries{{"old", 1, 31 * 24 * time.Hour}, {"a", 999, time.Minute}}, "old", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			conn := &v1alpha1.MFAConnection{}
			before, after := map[string]int{}, map[string]int{}
			for _, e := range tc.record {
				for n := range e.n {
					conn.Status.Removals = append(conn.Status.Removals, v1alpha1.Removal{AccountID: fmt.Sprint(n), Namespace: e.namespace, Time: metav1.NewTime(now.Add(-e.age))})
					before[e.namespace]++
				}
			}
			kept, err := withRoom(conn, now)
			held, isHeld := isOutcome(err)
			g.Expect(isHeld).To(Equal(tc.full))
			if tc.full {
				g.Expect(held.reason).To(Equal(v1alpha1.ReasonRemovalHeld))
				g.Expect(held.after).To(Equal(58 * time.Minute))
				return
			}
			for _, removal := range kept {
				after[removal.Namespace]++
			}
			if tc.lost != "" {
				before[tc.lost]--
			}
			for namespace, n := range before {
				g.Expect(after[namespace]).To(Equal(n), namespace)
			}
		})
	}
}

// TestLongEntriesInTheRecord: names and logins may be so long that the record is full with fewer entries. Whose they are loses
// his own.
func TestLongEntriesInTheRecord(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	entries := func(namespace, login string, n int, age time.Duration) (out []v1alpha1.Removal) {
		for n := range n {
			out = append(out, v1alpha1.Removal{AccountID: fmt.Sprint(n), Namespace: namespace, Login: login, Time: metav1.NewTime(now.Add(-age))})
		}
		return out
	}
	long := strings.Repeat("<", 255) // six bytes each
	conn := &v1alpha1.MFAConnection{}
	conn.Status.Removals = append(entries("victim", "l", 600, 20*24*time.Hour), entries("flood", long, 350, 2*time.Hour)...)
	kept, err := withRoom(conn, now)
	g.Expect(err).NotTo(HaveOccurred())
	stored, err := json.Marshal(kept)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(stored)).To(BeNumerically("~", removalsBytes, 3000))
	g.Expect(kept[:600]).To(Equal(conn.Status.Removals[:600]))
	g.Expect(kept[len(kept)-1]).To(Equal(conn.Status.Removals[949]), "the oldest go first")

	conn.Status.Removals = entries("flood", long, 350, time.Minute)
	_, err = withRoom(conn, now)
	held, isHeld := isOutcome(err)
	g.Expect(isHeld).To(BeTrue(), "all within the window")
	g.Expect(held.reason).To(Equal(v1alpha1.ReasonRemovalHeld))
}

// TestFullRecordHolds: with no room left a removal waits, whatever the limit, and goes when there is some.
func TestFullRecordHolds(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, limitOf(100000))
	w.apply(w.user("alice"))
	conn := w.getConnection()
	for n := range removalsMax {
		conn.Status.Removals = append(conn.Status.Removals, v1alpha1.Removal{
			AccountID: fmt.Sprint(n), Namespace: "n", Name: "n", Login: "l", Action: v1alpha1.RemovalBlock, Time: metav1.NewTime(w.clock.Now()),
		})
	}
	w.g.Expect(w.client.Status().Update(w.ctx, conn)).To(Succeed())
	w.remove("alice")
	w.drive(59*time.Minute, "alice")
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal(held))
	w.g.Expect(w.changesHeld().Message).To(HavePrefix("removals held: 1"))
	w.drive(2*time.Minute, "alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty())
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
}
