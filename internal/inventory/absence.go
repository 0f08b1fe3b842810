package inventory

import (
	"context"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// absenceGrace is how long a managed account must have been missing before it counts as gone.
const absenceGrace = time.Minute

// absence is a managed account that a listing lacked or a call did not find.
type absence struct {
	since     time.Time
	confirmed bool // a GET did not find it
	gone      bool // nor did one after the grace: settled until a listing or a call shows it
}

// Gone asks whether a managed account that the picture lacks, or that a call called not found, is gone for good. It is
// gone when a GET says so and a minute has passed since it was first missed; until then it returns how long to wait.
// When the GET finds the account it is put back into the picture and Gone returns false and zero.
func (i *Inventory) Gone(ctx context.Context, id mfaclient.AccountID) (gone bool, wait time.Duration, err error) {
	i.mu.Lock()
	missed := i.miss(id)
	i.mu.Unlock()
	rest := i.graceLeft(missed)
	switch {
	case missed.gone:
		return true, 0, nil
	case missed.confirmed && rest > 0:
		return false, rest, nil
	}

	service, _ := i.present()
	account, err := service.GetAccount(ctx, id)
	switch {
	case err == nil:
		i.Put(account)
		return false, 0, nil
	case mfaclient.KindOf(err) != mfaclient.KindNotFound:
		return false, 0, err
	}
	gone, wait = i.confirm(id)
	return gone, wait, nil
}

// confirm notes that a GET did not find the account.
func (i *Inventory) confirm(id mfaclient.AccountID) (gone bool, wait time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	// Read again: should a listing have shown the account while the GET was under way, its grace starts anew.
	missed := i.miss(id)
	i.unpin(id)
	wait = i.graceLeft(missed)
	missed.confirmed, missed.gone = true, wait == 0
	i.absent[id] = missed
	if missed.gone {
		i.picture.remove(id)
	}
	return missed.gone, wait
}

func (i *Inventory) graceLeft(missed absence) time.Duration {
	return max(0, absenceGrace-i.opts.Clock.Now().Sub(missed.since))
}

// Suspect notes that a call did not find the account, though the picture has it; Gone settles it.
func (i *Inventory) Suspect(id mfaclient.AccountID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.miss(id)
	i.unpin(id)
}

// miss returns the absence of an account, noted now if it was not before. It is for callers that hold the lock.
func (i *Inventory) miss(id mfaclient.AccountID) absence {
	missed, noted := i.absent[id]
	if !noted {
		missed = absence{since: i.opts.Clock.Now()}
		i.absent[id] = missed
	}
	return missed
}

// Missing tells whether the newest listing lacked the account, or a call did not find it.
func (i *Inventory) Missing(id mfaclient.AccountID) bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	_, ok := i.absent[id]
	return ok
}

// noteAbsences marks the managed accounts that the listing lacks as missing, and keeps those that were known in the
// picture: a page may have shifted. It returns the known ones that have newly gone missing, and those that are back.
func (i *Inventory) noteAbsences(listed *picture, held map[mfaclient.AccountID]struct{}) changes {
	noted := changes{}
	for id, missed := range i.absent {
		account, shown := listed.accounts[id]
		if _, managed := held[id]; !managed {
			delete(i.absent, id)
		} else if shown && !listed.begun.Before(missed.since) { // an older listing doesn't know what the call found out
			delete(i.absent, id)
			noted.add(account)
		}
	}
	for id := range held {
		if _, shown := listed.accounts[id]; shown || i.pins[id].deleted {
			continue
		}
		account, known := i.picture.accounts[id]
		_, before := i.absent[id]
		i.miss(id)
		if !known {
			continue
		}
		if !before {
			noted.add(account)
		}
		listed.put(account)
	}
	return noted
}
