package inventory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Service is what the inventory needs of the remote API.
type Service interface {
	ListAccounts(ctx context.Context, page, limit int) (mfaclient.AccountPage, error)
	GetAccount(ctx context.Context, id mfaclient.AccountID) (mfaclient.Account, error)
}

// Options of an Inventory.
type Options struct {
	// Clock tells the time. Required.
	Clock clock.PassiveClock
	// Managed returns the ids of the accounts that somebody in the cluster holds. A listing that lacks too many of them is
	// not believed. Required; the inventory does not change the map.
	Managed func() map[mfaclient.AccountID]struct{}
	// OnChange is told what a listing or a read showed changed, after it has become the picture; never of the first listing,
	// and never of Put and Remove, whose callers know. Default: nobody.
	OnChange func([]Change)
}

// Inventory is the picture of one service's accounts. Safe for concurrent use.
type Inventory struct {
	opts Options

	mu      sync.RWMutex
	service Service
	term    int // counts the calls of Use
	picture *picture
	// former holds, for managed accounts that a listing showed changed, when the last listing began that showed them as
	// they had been.
	former map[mfaclient.AccountID]time.Time
	pins   map[mfaclient.AccountID]pin
	absent map[mfaclient.AccountID]absence

	flights flights
}

// New returns an inventory without a picture. Use must come before Refresh, which takes the first, and before Gone.
func New(opts Options) *Inventory {
	return &Inventory{
		opts:    opts,
		picture: newPicture(time.Time{}, 0),
		pins:    map[mfaclient.AccountID]pin{},
		absent:  map[mfaclient.AccountID]absence{},
		former:  map[mfaclient.AccountID]time.Time{},
	}
}

// Use makes the inventory ask the given service from now on, after a token has been replaced say. The picture stays, but
// the next Refresh takes a listing: what the old token saw does not prove that the new one works.
func (i *Inventory) Use(service Service) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.service = service
	i.term++
}

// present returns the service in use, and the number of its term.
func (i *Inventory) present() (Service, int) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.service, i.term
}

// freshSince tells whether the picture comes from a listing by the present service that began after the given time.
func (i *Inventory) freshSince(after time.Time) bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.picture.term == i.term && i.picture.begun.After(after)
}

// Begun returns when the listing behind the picture began; zero when there is no picture yet.
func (i *Inventory) Begun() time.Time {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.picture.begun
}

// Shows tells whether the newest listing began late enough to show what became of a write at the given time.
func (i *Inventory) Shows(write time.Time) bool { return i.Begun().After(write.Add(pinLife)) }

// Kept tells whether a listing showed what was written to an account at the given time, before another showed it changed.
func (i *Inventory) Kept(id mfaclient.AccountID, write time.Time) bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.former[id].After(write.Add(pinLife))
}

// ByID returns the account with the given id, also when it is missing from the newest listing.
func (i *Inventory) ByID(id mfaclient.AccountID) (mfaclient.Account, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	account, ok := i.picture.accounts[id]
	return account, ok
}

// ByLogin returns the account with the given login, without regard to case. Should several have it, one that is there
// goes before one that is missing, then the very spelling, then the one that was seen last.
func (i *Inventory) ByLogin(login string) (account mfaclient.Account, ok bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	best := 0
	for _, id := range i.picture.byLogin[LoginKey(login)] {
		candidate, rank := i.picture.accounts[id], 1
		if candidate.Login == login {
			rank += 1
		}
		if _, missing := i.absent[id]; !missing {
			rank += 2
		}
		if rank >= best {
			account, best = candidate, rank
		}
	}
	return account, best > 0
}

// Accounts returns the accounts of the picture, in the order of their logins.
func (i *Inventory) Accounts() []mfaclient.Account {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return slices.SortedFunc(maps.Values(i.picture.accounts), func(a, b mfaclient.Account) int {
		return cmp.Or(cmp.Compare(LoginKey(a.Login), LoginKey(b.Login)), cmp.Compare(a.ID, b.ID))
	})
}

// Len is the number of accounts in the picture.
func (i *Inventory) Len() int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return len(i.picture.accounts)
}

// CountByState counts the accounts of the picture in each state.
func (i *Inventory) CountByState() map[mfaclient.State]int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	counts := map[mfaclient.State]int{}
	for _, account := range i.picture.accounts {
		counts[account.State]++
	}
	return counts
}

// CountRole counts the accounts of the picture with a role that are neither blocked nor missing: those left to use it.
func (i *Inventory) CountRole(role mfaclient.Role) int {
	i.mu.RLock()
	defer i.mu.RUnlock()
	count := 0
	for id, account := range i.picture.accounts {
		_, missing := i.absent[id]
		if account.Role == role && !account.Blocked && !missing {
			count++
		}
	}
	return count
}
