package inventory

import (
	"context"
	"maps"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const (
	// pageLimit is the largest page that the service gives (D).
	pageLimit = 100
	// maxPages bounds a listing that never ends: half a million accounts.
	maxPages = 5000
)

// list takes one listing, makes it the picture and tells what changed.
func (i *Inventory) list(ctx context.Context, service Service, begun time.Time, term int) error {
	listed, err := i.believable(ctx, service, begun)
	if err != nil {
		return err
	}
	listed.term = term
	i.tell(i.replace(listed))
	return nil
}

// tell is called without the lock: whoever is told may ask for the picture.
func (i *Inventory) tell(changes []Change) {
	if len(changes) > 0 && i.opts.OnChange != nil {
		i.opts.OnChange(changes)
	}
}

// readAll pages through the listing. Accounts that a shifting page shows twice count once.
func readAll(ctx context.Context, service Service, begun time.Time, size int) (*picture, error) {
	listed := newPicture(begun, size)
	for page := range maxPages {
		got, err := service.ListAccounts(ctx, page, pageLimit)
		if err != nil {
			return nil, err
		}
		before := len(listed.accounts)
		for _, account := range got.Accounts {
			listed.put(account)
		}
		if !got.HasMore {
			return listed, nil
		}
		if len(listed.accounts) == before {
			// Without this a service that repeats a page for ever would be listed for ever.
			return nil, malformed("a page brought no new account, yet more is said to follow")
		}
	}
	return nil, malformed("the listing does not end")
}

func malformed(reason string) error {
	return &mfaclient.Error{Kind: mfaclient.KindMalformed, Operation: "ListAccounts", Reason: reason}
}

// replace makes a listing the picture and returns what changed.
func (i *Inventory) replace(listed *picture) []Change {
	held := i.opts.Managed()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.applyPins(listed)
	changes := i.noteAbsences(listed, held)
	old := i.picture
	i.picture = listed
	if old.begun.IsZero() {
		// The first picture is news for everybody; whoever waits for it is woken by the connection becoming ready.
		return nil
	}
	changes.compare(old, listed)
	for change := range changes {
		i.former[change.ID] = old.begun
	}
	maps.DeleteFunc(i.former, func(id mfaclient.AccountID, _ time.Time) bool { _, managed := held[id]; return !managed })
	return changes.list()
}
