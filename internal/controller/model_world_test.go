package controller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// modelWorld is a test world that is played by dice, and the model of what its people have asked for. The model is kept
// by the steps alone and judges the operator by what can be seen from outside: its calls to the service, and the cluster.
type modelWorld struct {
	*testWorld
	dice *rand.Rand
	// second is another namespace with users.
	second string
	// begun is when people began to act.
	begun time.Time
	// told is what has happened so far, for whoever has to read about a failure.
	told []string
	// wrong is what the operator did that nobody asked for.
	wrong []string

	// mu guards all below against the simulator's goroutines.
	mu      sync.Mutex
	asked   map[types.NamespacedName]*asked
	made    map[types.UID]time.Time // when manifests were created, on the world's clock
	current *asked                  // whose pass it is
	makers  map[string]types.UID    // which manifest's call made an account
	newborn string                  // the account that the present pass has made: nobody can have used it yet
	left    map[string]leave        // accounts that a removal has left behind
	blocked map[string]bool         // accounts that the operator has blocked
	codes   map[string]bool         // every code that the operator was ever shown
	meddled map[string]bool         // logins whose code somebody else may have ended unseen
	roleSet map[string]time.Time    // when somebody changed an account's role
	// groupsSet is when somebody last changed a membership, disturbed when anybody but a manifest's people last did anything.
	groupsSet, disturbed time.Time
	renamed              time.Time         // when somebody last renamed an account
	groups               map[string]string // names of the service's groups by id
	admin                string            // login whose token the operator uses
	plain                mfasim.Account    // the account that nobody manages, as the console has left it

	// What follows plays the controllers' queues.
	due      map[types.NamespacedName]time.Time
	limiter  workqueue.TypedRateLimiter[ctrl.Request]
	woken    map[types.NamespacedName]bool
	killIn   int  // the operator is killed at its nth call from now; 0: it is not
	killLate bool // the call is still carried out
	dead     bool
	calls    int      // of the present pass
	unheard  []func() // run when the operator is killed: its pass has lost what it was told
}

// modelInterval is how old the operator's picture may get.
const modelInterval = 10 * time.Minute

func newModelWorld(t *testing.T, seed uint64) *modelWorld {
	dice := rand.New(rand.NewPCG(seed, 0))
	opts := mfasim.Options{
		OmitExpiresAt: dice.IntN(2) == 0, StringIDs: dice.IntN(2) == 0, NumericRoles: dice.IntN(2) == 0,
		Clock: clocktesting.NewFakeClock(time.Now().Truncate(sweepEvery)), // groups are read at an hour of the day
	}
	m := &modelWorld{
		testWorld: newTestWorld(t, opts), dice: dice,
		asked: map[types.NamespacedName]*asked{}, made: map[types.UID]time.Time{}, makers: map[string]types.UID{},
		left: map[string]leave{}, blocked: map[string]bool{}, codes: map[string]bool{}, meddled: map[string]bool{},
		roleSet: map[string]time.Time{}, groups: map[string]string{}, admin: mfasim.DefaultAdminLogin,
	}
	m.second = m.namespace + "-b"
	m.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.second, Labels: m.namespaceLabels()}})
	t.Cleanup(m.endSecond)
	for _, name := range []string{"staff", "staff-night", "council"} {
		m.groups[m.sim.AddGroup(name).String()] = name
	}
	m.sim.Seed(mfasim.Account{Login: "custom@example.com", Role: "HELPDESK", Status: mfasim.StatusActivated})
	m.plain = m.sim.Seed(mfasim.Account{Login: "plain@example.com", FirstName: "Paul", Status: mfasim.StatusActivated})
	m.putBetween(m.wire)
	m.gatherFor = gatherFor
	m.restart()
	m.begun = m.now()
	return m
}

// endSecond lets the second namespace end as the first does.
func (m *modelWorld) endSecond() {
	first := m.namespace
	m.namespace = m.second
	m.end()
	m.namespace = first
}

func (m *modelWorld) namespaceLabels() map[string]string {
	return m.connection().Spec.AllowedNamespaces.Selector.MatchLabels
}

func (m *modelWorld) now() time.Time { return m.clock.Now() }

func (m *modelWorld) connectionKey() types.NamespacedName {
	return types.NamespacedName{Namespace: m.mfaNamespace, Name: "production"}
}

// restart makes an operator that knows nothing yet. It reaches the cluster through a client that the model can cut off,
// and that tells creation times on the world's clock: the operator compares them with times of its own.
func (m *modelWorld) restart() {
	m.startOperator()
	m.dead, m.killIn = false, 0
	operator := interceptor.NewClient(m.client, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return m.read(func() error { return c.Get(ctx, key, o, opts...) }, o)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			return m.readAll(func() error { return c.List(ctx, list, opts...) }, list)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return m.tread(func() error { return c.Patch(ctx, o, p, opts...) }, o)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return m.tread(func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) }, o)
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return m.tread(func() error { return c.Apply(ctx, o, opts...) }, nil)
		},
	})
	shared := m.users.world
	shared.client, shared.live, shared.secrets = operator, operator, operator
	shared.jitter = func(below time.Duration) time.Duration { return time.Duration(m.dice.Int64N(int64(below))) }
	m.limiter = retries()
	m.woken = map[types.NamespacedName]bool{}
	for _, wake := range []*wakeQueue{shared.users, shared.probes} {
		m.g.Expect(wake.Start(m.ctx, &modelQueue{woken: m.woken})).To(Succeed())
	}
	m.due = map[types.NamespacedName]time.Time{m.connectionKey(): m.now()}
	for key := range m.asked {
		m.due[key] = m.now()
	}
}

// modelQueue notes who is woken.
type modelQueue struct {
	workqueue.TypedRateLimitingInterface[ctrl.Request]
	woken map[types.NamespacedName]bool
}

func (q *modelQueue) Add(r ctrl.Request) { q.woken[r.NamespacedName] = true }

var errKilled = errors.New("the operator has been killed")

// tread is one call of the operator that may be its last.
func (m *modelWorld) tread(call func() error, o client.Object) error {
	dies, late := m.dies()
	if dies && !late {
		return errKilled
	}
	err := call()
	m.date(o)
	if dies {
		return errKilled
	}
	return err
}

// dies tells whether the operator does not live to hear the answer of the call that it is about to make, and if so whether
// the call is made at all.
func (m *modelWorld) dies() (dies, late bool) {
	if m.dead {
		return true, false
	}
	if m.killIn == 0 {
		return false, false
	}
	m.killIn--
	m.dead = m.killIn == 0
	return m.dead, m.killLate
}

func (m *modelWorld) read(call func() error, o client.Object) error {
	if m.dead {
		return errKilled
	}
	err := call()
	m.date(o)
	return err
}

func (m *modelWorld) readAll(call func() error, list client.ObjectList) error {
	if m.dead {
		return errKilled
	}
	err := call()
	if users, ok := list.(*v1alpha1.MFAUserList); ok {
		for n := range users.Items {
			m.date(&users.Items[n])
		}
	}
	return err
}

func (m *modelWorld) date(o client.Object) {
	if user, ok := o.(*v1alpha1.MFAUser); ok {
		if at, known := m.made[user.UID]; known {
			user.CreationTimestamp = metav1.NewTime(at)
		}
	}
}

// tell notes what happens, with the time since the beginning.
func (m *modelWorld) tell(format string, args ...any) {
	m.told = append(m.told, fmt.Sprintf("%10s  %s", m.now().Sub(m.begun), fmt.Sprintf(format, args...)))
}

// blame notes what is wrong.
func (m *modelWorld) blame(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}
