package controller

import (
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestBlockAfterTheWayBack: only the block of our own removal is undone, and not the next one, which is somebody else's.
func TestBlockAfterTheWayBack(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.deleteUser("alice")
	w.create(w.user("alice"))
	_, err := w.pass("alice") // and no other before the block
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())

	w.tick(2 * time.Minute)
	w.console("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })
	w.settle("alice")
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
}

// TestDeletedOnTheWayBack: whoever goes again while the account is being given back, or taken over, has it taken away again.
func TestDeletedOnTheWayBack(t *testing.T) {
	for name, exists := range map[string]func(w *testWorld){
		"given back": func(w *testWorld) {
			w.apply(w.user("alice"))
			w.deleteUser("alice")
		},
		"taken over": func(w *testWorld) {
			w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.Adoption = v1alpha1.ConnectionAdoptionAllow })
			w.sim.Seed(mfasim.Account{Login: "alice@example.com", Status: mfasim.StatusActivated})
			w.tick(11 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			exists(w)
			w.create(w.user("alice", func(u *v1alpha1.MFAUser) {
				u.Spec.FirstName, u.Spec.AdoptionPolicy = new("Alice"), v1alpha1.AdoptionIfExists
			}))
			var once sync.Once
			w.sim.OnCall(func(op string, phase mfasim.Phase) {
				if op == "UpdateAccount" && phase == mfasim.After {
					once.Do(func() { w.deleteObject(w.get("alice")) })
				}
			})
			w.settle("alice")
			w.settle("alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
		})
	}
}

// TestKilledOnTheWayBack: wherever the pass that gives an account back is killed, the next one gives it back, and takes it away
// when the manifest has gone meanwhile.
func TestKilledOnTheWayBack(t *testing.T) {
	for _, goes := range []bool{false, true} {
		for writes := 1; ; writes++ {
			died := false
			t.Run(fmt.Sprintf("goes %v, killed after %d writes", goes, writes), func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{})
				w.apply(w.user("alice"))
				w.deleteUser("alice")
				w.create(w.user("alice"))
				died = w.killAfter(writes, "alice")
				if goes {
					w.deleteUser("alice")
					w.g.Expect(w.get("alice").Name).To(BeEmpty())
				} else {
					w.g.Expect(ready(w.settle("alice").Status.Conditions)).To(Equal("True Reconciled"))
				}
				w.g.Expect(w.remote("alice@example.com").Blocked).To(Equal(goes))
			})
			if !died {
				NewWithT(t).Expect(writes).To(BeNumerically(">", 3), "finalizer, record, block undone, status")
				break
			}
		}
	}
}

// TestWayBackBeforeTheCacheShowsIt: the record that proves whose the account was may be newer than the copy of the connection.
func TestWayBackBeforeTheCacheShowsIt(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	stale := w.getConnection()
	w.deleteUser("alice")
	w.create(w.user("alice"))
	w.users.client = showing(w.client, stale)
	_, err := w.pass("alice")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(ready(w.get("alice").Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())
}

// TestBlockThatTheCacheDoesNotShow: a removal that is carried out twice, for its answer was lost, knows its own block also when
// the copy of the connection does not show the record yet. The manifest that comes back gets the account unblocked.
func TestBlockThatTheCacheDoesNotShow(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	stale := w.getConnection()
	w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultResetAfter, Count: 1})
	w.remove("alice")
	_, err := w.pass("alice")
	w.g.Expect(err).To(HaveOccurred())
	w.users.client = showing(w.client, stale)
	w.settle("alice")
	w.g.Expect(w.get("alice").Name).To(BeEmpty())
	w.g.Expect(w.removals()).To(Equal([]string{"Block alice@example.com released"}))

	w.users.client = w.client
	w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal("True Reconciled"))
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())
}

// TestWayBack: a manifest pruned by accident and applied again gets its account without adoption rights; nobody else does.
func TestWayBack(t *testing.T) {
	const ok = "True Reconciled"
	nothing := func(*testWorld) {}
	same := func(*v1alpha1.MFAUser) {}
	cases := map[string]struct {
		before, between func(w *testWorld)
		again           func(*v1alpha1.MFAUser)
		want            string
		blocked         bool
	}{
		"the same manifest": {nothing, nothing, same, ok, false},
		"stated as allowed": {nothing, nothing, func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessAllowed) }, ok, false},
		"stated as blocked": {nothing, nothing, func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) }, ok, true},
		"other case":        {nothing, nothing, loginOf("ALICE@example.com"), ok, false},
		"blocked by an administrator before": {func(w *testWorld) {
			w.console("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })
		}, nothing, same, ok, true},
		"other name":      {nothing, nothing, func(u *v1alpha1.MFAUser) { u.Name = "alice2" }, conflict, true},
		"other namespace": {nothing, nothing, func(u *v1alpha1.MFAUser) { u.Namespace = u.Spec.ConnectionRef.Namespace }, conflict, true},
		"after a month":   {nothing, func(w *testWorld) { w.ageRemovals(30 * 24 * time.Hour) }, same, conflict, true},
		"raised to manager meanwhile": {nothing, func(w *testWorld) {
			w.console("alice@example.com", func(a *mfasim.Account) { a.Role = mfasim.RoleManager })
		}, same, "False PrivilegedAccount Stalled", true},
		"another account under the login": {nothing, func(w *testWorld) {
			w.sim.DeleteAccount("alice@example.com")
			w.sim.Seed(mfasim.Account{Login: "alice@example.com", Status: mfasim.StatusBlocked})
			w.tick(11 * time.Minute)
		}, same, conflict, true},
		"retained: there is no proof": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		}, nothing, same, conflict, false},
		"the lifting of the block fails once": {nothing, func(w *testWorld) {
			w.sim.SetFault(mfasim.Fault{Operation: "UpdateAccount", Kind: mfasim.FaultStatus, Count: 1})
		}, same, ok, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			first := w.apply(w.user("alice"))
			tc.before(w)
			w.deleteUser("alice")
			records := w.removals()
			w.tick(11 * time.Minute)
			tc.between(w)
			issued := w.sim.CodesIssued("alice@example.com")

			again := w.user("alice", tc.again)
			w.create(again)
			user := w.settled(again)

			w.g.Expect(ready(user.Status.Conditions)).To(Equal(tc.want))
			w.g.Expect(w.remote("alice@example.com").Blocked).To(Equal(tc.blocked))
			w.g.Expect(w.sim.CodesIssued("alice@example.com")).To(Equal(issued), "nothing is issued")
			if tc.want != ok {
				w.g.Expect(user.Status.AccountID).To(BeEmpty())
				return
			}
			w.g.Expect(user.Status.AccountID).To(Equal(first.Status.AccountID))
			w.g.Expect(user.Finalizers).To(ConsistOf(v1alpha1.Finalizer))
			w.g.Expect(user.Status.HandledCodeGeneration).To(Equal(int64(1)))
			w.g.Expect(w.removals()).To(HaveLen(len(records)), "coming back is no removal")

			// And should it go again, that is another removal.
			w.tick(11 * time.Minute)
			w.deleteUser("alice")
			w.g.Expect(w.get("alice").Name).To(BeEmpty())
			w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
			w.g.Expect(w.removals()).To(HaveLen(len(records) + 1))
		})
	}
}

// TestWayBackIsUsedUp: a removal gives the account back once. Who lets it go after that without one has no proof any more, and
// the block that somebody puts on it then is not undone.
func TestWayBackIsUsedUp(t *testing.T) {
	retain := func(u *v1alpha1.MFAUser) { u.Spec.DeletionPolicy = v1alpha1.DeletionRetain }
	cases := map[string]struct {
		before func(w *testWorld)
		back   func(u *v1alpha1.MFAUser)
		record string
	}{
		"let go by Retain": {func(*testWorld) {}, retain, "Block alice@example.com"},
		"let go by orphan": {func(*testWorld) {}, func(u *v1alpha1.MFAUser) {
			u.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"}
		}, "Block alice@example.com"},
		"which was blocked before": {func(w *testWorld) {
			w.console("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })
		}, retain, "Keep alice@example.com"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{})
			w.apply(w.user("alice"))
			tc.before(w)
			w.deleteUser("alice")
			w.g.Expect(w.apply(w.user("alice", tc.back)).Status.AccountID).NotTo(BeEmpty())
			w.g.Expect(w.removals()).To(Equal([]string{tc.record}), "it still counts")
			w.deleteUser("alice")
			w.console("alice@example.com", func(a *mfasim.Account) { a.Blocked = true })

			w.g.Expect(ready(w.apply(w.user("alice")).Status.Conditions)).To(Equal(conflict))
			w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
		})
	}
}

// TestBlockOfTheNextLife: the record that has given the account back does not stand for a block that is asked for afterwards.
func TestBlockOfTheNextLife(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.deleteUser("alice")
	w.apply(w.user("alice"))
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeFalse())

	w.edit("alice", block)
	w.settle("alice")
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
	w.g.Expect(w.removals()).To(Equal([]string{"Block alice@example.com", "Block alice@example.com"}))
}

// ageRemovals dates the recorded removals back.
func (w *testWorld) ageRemovals(by time.Duration) {
	w.t.Helper()
	conn := w.getConnection()
	for n := range conn.Status.Removals {
		at := &conn.Status.Removals[n].Time
		*at = metav1.NewTime(at.Add(-by))
	}
	w.g.Expect(w.client.Status().Update(w.ctx, conn)).To(Succeed())
}

// TestWayBackOfAnother: a removal proves one account; a manifest with another login makes its own.
func TestWayBackOfAnother(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.deleteUser("alice")
	w.g.Expect(w.client.Delete(w.ctx, w.secret("alice"))).To(Succeed()) // the garbage collector's work

	w.g.Expect(ready(w.apply(w.user("alice", loginOf("bob@example.com"))).Status.Conditions)).To(Equal("True Reconciled"))

	w.g.Expect(w.remote("bob@example.com").Blocked).To(BeFalse())
	w.g.Expect(w.remote("alice@example.com").Blocked).To(BeTrue())
}

// TestRemovalsAreBounded: 30 days and 1,000 entries, the newest last.
func TestRemovalsAreBounded(t *testing.T) {
	const day = 24 * time.Hour
	cases := map[string]struct {
		entries int
		age     func(n int) time.Duration
		kept    int
	}{
		"one too many":          {1000, func(n int) time.Duration { return time.Duration(1000-n) * time.Minute }, 999},
		"some too old":          {10, func(n int) time.Duration { return time.Duration(34-n) * day }, 5},
		"room for one":          {999, func(int) time.Duration { return day }, 999},
		"the last was long ago": {3, func(int) time.Duration { return 31 * day }, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTestWorld(t, mfasim.Options{}, limitOf(100))
			w.apply(w.user("alice"))
			conn := w.getConnection()
			for n := range tc.entries {
				conn.Status.Removals = append(conn.Status.Removals, v1alpha1.Removal{
					AccountID: fmt.Sprint(n), Namespace: "n", Name: "n", Login: fmt.Sprint("l", n), Action: v1alpha1.RemovalBlock,
					Time: metav1.NewTime(w.clock.Now().Add(-tc.age(n))),
				})
			}
			w.g.Expect(w.client.Status().Update(w.ctx, conn)).To(Succeed())

			w.deleteUser("alice")

			removals := w.getConnection().Status.Removals
			w.g.Expect(removals).To(HaveLen(tc.kept + 1))
			w.g.Expect(removals[tc.kept].Login).To(Equal("alice@example.com"))
			if tc.kept > 0 {
				w.g.Expect(removals[tc.kept-1].Login).To(Equal(fmt.Sprint("l", tc.entries-1)), "the oldest go first")
			}
		})
	}
}
