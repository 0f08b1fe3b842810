package inventory

import (
	"maps"
	"slices"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Change names an account that a listing showed new, different, missing, back or no longer there, or a read different. An
// account whose login has changed comes once with each login: one that was waited for may be free now.
type Change struct {
	ID    mfaclient.AccountID
	Login string
}

// changes is a set, so that an account which is both back and different is told of once.
type changes map[Change]struct{}

func (c changes) add(account mfaclient.Account) {
	c[Change{ID: account.ID, Login: account.Login}] = struct{}{}
}

// addBoth adds an account under the login that it had, too.
func (c changes) addBoth(before, account mfaclient.Account) {
	c.add(account)
	if before.Login != account.Login {
		c.add(before)
	}
}

func (c changes) list() []Change { return slices.Collect(maps.Keys(c)) }

// compare adds what differs between two pictures.
func (c changes) compare(old, listed *picture) {
	for id, account := range listed.accounts {
		before, known := old.accounts[id]
		if known && same(before, account) {
			continue
		}
		if known {
			c.addBoth(before, account)
		} else {
			c.add(account)
		}
	}
	for id, account := range old.accounts {
		if _, ok := listed.accounts[id]; !ok {
			c.add(account)
		}
	}
}

// same compares what users are told about. The time of the last authentication changes daily and wakes nobody.
func same(a, b mfaclient.Account) bool {
	a.LastAuthenticated, b.LastAuthenticated = time.Time{}, time.Time{}
	return a == b
}
