package inventory

import (
	"slices"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// pinLife is how long our own writes stand against listings that do not show them yet.
const pinLife = time.Minute

// pin is what our own calls have just learnt of an account. A listing that still shows a field as it was before is stale
// there; one that shows a third value tells of somebody else's later edit and is believed.
type pin struct {
	// before holds every form that the account had within the pin's life: of two writes in a row a listing may show the
	// state before both. Empty for an account that is new.
	before  []mfaclient.Account
	after   mfaclient.Account
	deleted bool
	until   time.Time
	// stateBelieved is since when a listing has to have begun for the state that it shows to be believed, whatever it was before.
	// Zero: see before.
	stateBelieved time.Time
}

// Put writes through an account that a call has just written.
func (i *Inventory) Put(account mfaclient.Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.put(account)
}

// Saw writes through an account that a call has just read, and tells of what somebody has changed as a listing would: the
// next one finds it in the picture already.
func (i *Inventory) Saw(account mfaclient.Account) {
	i.mu.Lock()
	shown, known := i.picture.accounts[account.ID]
	changed := changes{}
	if known && !same(shown, account) {
		i.former[account.ID] = i.picture.begun
		changed.addBoth(shown, account)
	}
	i.put(account)
	i.mu.Unlock()
	i.tell(changed.list())
}

func (i *Inventory) put(account mfaclient.Account) {
	delete(i.absent, account.ID)
	now := i.opts.Clock.Now()
	next := pin{after: account, until: now.Add(pinLife)}
	if p, ok := i.pins[account.ID]; ok && !now.After(p.until) {
		next.before = p.before
		if p.after.State == account.State {
			next.stateBelieved = p.stateBelieved
		}
	}
	if shown, ok := i.picture.accounts[account.ID]; ok && shown != account && !slices.Contains(next.before, shown) {
		next.before = append(next.before, shown)
	}
	i.pins[account.ID] = next
	i.picture.put(account)
}

// Remove writes through a deletion.
func (i *Inventory) Remove(id mfaclient.AccountID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.absent, id)
	i.pins[id] = pin{deleted: true, until: i.opts.Clock.Now().Add(pinLife)}
	i.picture.remove(id)
}

// UnpinState tells that a new code may have changed an account's state just now: a listing that begins after this and shows the
// state that it had before our own calls tells the truth. One that is under way still shows what was before.
func (i *Inventory) UnpinState(id mfaclient.AccountID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if p, ok := i.pins[id]; ok {
		p.stateBelieved = i.opts.Clock.Now()
		i.pins[id] = p
	}
}

// Unpin forgets what our own calls have learnt of an account that a later one did not find: the next listing decides.
func (i *Inventory) Unpin(id mfaclient.AccountID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.unpin(id)
}

// unpin forgets what we wrote to an account that a later call did not find: the pin would put it back.
func (i *Inventory) unpin(id mfaclient.AccountID) {
	if !i.pins[id].deleted {
		delete(i.pins, id)
	}
}

// applyPins puts our own fresh writes on top of a listing and drops those that are old. A write counts against every
// listing that began within its life, however long that listing took to read.
func (i *Inventory) applyPins(listed *picture) {
	for id, p := range i.pins {
		if listed.begun.After(p.until) {
			delete(i.pins, id)
			continue
		}
		account, ok := listed.accounts[id]
		switch {
		case p.deleted:
			listed.remove(id)
		case !ok:
			listed.put(p.after)
		default:
			listed.put(p.over(account, listed.begun))
		}
	}
}

// over returns the account of a listing with the fields that are stale replaced by what we know.
func (p pin) over(listed mfaclient.Account, begun time.Time) mfaclient.Account {
	shown := listed
	stateKnown := !p.stateBelieved.IsZero() && begun.After(p.stateBelieved)
	for _, before := range p.before {
		freshen(&listed.Login, shown.Login, before.Login, p.after.Login)
		freshen(&listed.FirstName, shown.FirstName, before.FirstName, p.after.FirstName)
		freshen(&listed.LastName, shown.LastName, before.LastName, p.after.LastName)
		freshen(&listed.Email, shown.Email, before.Email, p.after.Email)
		freshen(&listed.Phone, shown.Phone, before.Phone, p.after.Phone)
		freshen(&listed.Language, shown.Language, before.Language, p.after.Language)
		freshen(&listed.Role, shown.Role, before.Role, p.after.Role)
		if !stateKnown {
			freshen(&listed.State, shown.State, before.State, p.after.State)
		}
		freshen(&listed.Blocked, shown.Blocked, before.Blocked, p.after.Blocked)
	}
	if p.after.LastAuthenticated.After(listed.LastAuthenticated) {
		listed.LastAuthenticated = p.after.LastAuthenticated
	}
	return listed
}

func freshen[T comparable](field *T, shown, before, after T) {
	if shown == before {
		*field = after
	}
}
