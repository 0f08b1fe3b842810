package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// connection is what this process knows about one MFAConnection, shared by all its users: the client, the picture of the
// accounts, and whether the connection can be used. Safe for concurrent use.
type connection struct {
	key       types.NamespacedName
	gate      *mfaclient.Gate
	inventory *inventory.Inventory
	removals  sync.Mutex // serialises writes to status.removals
	groups    groupNames
	extra     extraListings

	mu sync.Mutex
	// client is rebuilt when its settings change; nil while there is no usable token.
	client    *mfaclient.Client
	settings  clientSettings
	claims    mfaclient.Claims
	readiness readiness
	// shown is what the metrics tell beside that.
	shown shown
	// probes is the state of the listings, kept by the connection's reconciler.
	probes probeState
	// trustedUntil is how long a refusal as unauthenticated is not put down to the token, which was probed a while ago.
	trustedUntil time.Time
	// kept is true while the connection and its token Secret are known to carry their finalizers, and leaving while one of
	// the two waits for the last user to go.
	kept, leaving bool
	// tidy is true once no token Secret carries the finalizer that need not: a manager that starts does not know, nor does one
	// whose last try failed.
	tidy bool
	// quotaFullUntil holds creations after the service has said that no licence is left; zero when it has not.
	quotaFullUntil time.Time
}

// clientSettings is everything that a client is made of and that can change.
type clientSettings struct {
	url, caBundle string
	token         mfaclient.Token
}

// shown is what metrics tell of a connection's settings, whether or not they can be used.
type shown struct {
	tokenExpiry time.Time // zero when the token does not say
	interval    time.Duration
	admitsNone  bool // for its selector can't be used; what it made before, it still removes
}

// readiness says whether users may use a connection.
type readiness int

const (
	// readinessUnknown: this process has not looked yet. Users wait without saying so.
	readinessUnknown readiness = iota
	readinessNotReady
	readinessReady
)

// view is the consistent picture of a connection that one pass works with.
type view struct {
	client    *mfaclient.Client
	claims    mfaclient.Claims
	readiness readiness
	shown     shown
}

func (c *connection) view() view {
	c.mu.Lock()
	defer c.mu.Unlock()
	return view{client: c.client, claims: c.claims, readiness: c.readiness, shown: c.shown}
}

// show notes what the metrics tell.
func (c *connection) show(what shown) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = what
}

// judge records whether the connection can be used and tells whether users have to be woken: those that waited go on once
// it can, and the first verdict is news for everybody.
func (c *connection) judge(now readiness) (wakeUsers bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.readiness
	c.readiness = now
	return before != now && (before == readinessUnknown || now == readinessReady)
}

// doubt is called when a call with the given client failed in a way that speaks against the connection: nobody calls
// again until a probe has passed. It returns false when a probe has passed a short while ago: then the failure is of this
// call alone, and asking again and again would only multiply the calls.
func (c *connection) doubt(used *mfaclient.Client, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case used != c.client || c.readiness != readinessReady:
		return true // the next verdict is on its way
	case now.Before(c.trustedUntil):
		return false
	}
	c.trustedUntil = now.Add(rejectedProbeEvery)
	c.readiness = readinessNotReady
	c.probes.next = time.Time{}
	c.probes.forced = true
	return true
}

// beginCount is called before the users are counted: whoever comes or goes from then on wakes the connection, as far as
// it matters.
func (c *connection) beginCount(leaving bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept, c.leaving = false, leaving
}

// markKept says that the finalizers are on: another user makes no difference.
func (c *connection) markKept() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = true
}

// minds tells whether a user that comes, or goes, makes a difference.
func (c *connection) minds() (coming, going bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.kept, c.leaving
}

func (c *connection) isLeaving() bool {
	_, going := c.minds()
	return going
}

func (c *connection) isTidy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tidy
}

func (c *connection) setTidy(tidy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tidy = tidy
}

// quotaFull holds creations until the given time.
func (c *connection) quotaFull(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quotaFullUntil = until
}

// quotaWait returns how long creations wait because the service has no licence left.
func (c *connection) quotaWait(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.quotaFullUntil.Sub(now)
}

// quotaTurn is asked just before a creation. Once the wait is over one caller gets the turn to try, and all others go on
// waiting for what comes of it.
func (c *connection) quotaTurn(now time.Time, every time.Duration) (wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.quotaFullUntil.IsZero() {
		return 0
	}
	if wait := c.quotaFullUntil.Sub(now); wait > 0 {
		return wait
	}
	c.quotaFullUntil = now.Add(every)
	return 0
}

// quotaFree ends the wait after a creation that went well, and tells whether there was one.
func (c *connection) quotaFree() (wakeUsers bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := !c.quotaFullUntil.IsZero()
	c.quotaFullUntil = time.Time{}
	return held
}

// registry holds the connections by their object's name.
type registry struct {
	world *world
	mu    sync.Mutex
	byKey map[types.NamespacedName]*connection
	// administrators are held, by endpoint, from the count of administrators to the call that makes one fewer.
	administrators map[string]*sync.Mutex
}

func newRegistry(w *world) *registry {
	return &registry{world: w, byKey: map[types.NamespacedName]*connection{}, administrators: map[string]*sync.Mutex{}}
}

// guardAdministrators lets one pass at a time take access or power from an administrator of a service, through whatever
// connection: two that looked at once would each see the other's account as the one that is left. Call what it returns when
// the change has been written through.
func (r *registry) guardAdministrators(url string, account mfaclient.Account) (done func()) {
	if account.Role != mfaclient.RoleAdministrator {
		return func() {}
	}
	r.mu.Lock()
	held, ok := r.administrators[mfaclient.Endpoint(url)]
	if !ok {
		held = &sync.Mutex{}
		r.administrators[mfaclient.Endpoint(url)] = held
	}
	r.mu.Unlock()
	held.Lock()
	return held.Unlock
}

// get returns the connection of that name, made on first use.
func (r *registry) get(key types.NamespacedName) *connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.byKey[key]; ok {
		return c
	}
	// The limits of the spec are set in every pass; a fresh gate has the largest burst, which they cut down.
	c := &connection{key: key, gate: mfaclient.NewGate(r.world.clock, 1, maxBurst)}
	c.inventory = inventory.New(inventory.Options{
		Clock:    r.world.clock,
		Managed:  func() map[mfaclient.AccountID]struct{} { return r.world.managedAccounts(key) },
		OnChange: func(changes []inventory.Change) { r.world.wakeHolders(key, changes) },
	})
	r.byKey[key] = c
	return c
}

// known returns the connection of that name; nil when there is none.
func (r *registry) known(key types.NamespacedName) *connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byKey[key]
}

func (r *registry) has(key types.NamespacedName) bool { return r.known(key) != nil }

func (r *registry) drop(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byKey, key)
	r.world.metrics.forget(key)
}

func (r *registry) all() []*connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*connection, 0, len(r.byKey))
	for _, c := range r.byKey {
		all = append(all, c)
	}
	return all
}

// maxBurst is the largest burst that the API of MFAConnection allows.
const maxBurst = 10000
