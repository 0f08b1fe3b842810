package inventory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const (
	// suspectAtLeast and suspectShare: a listing that lacks more managed accounts than the larger of the two is suspect.
	suspectAtLeast = 10
	suspectShare   = 20 // one in twenty: 5 %
	// foreignAtLeast: a listing that lacks all managed accounts, and at least so many, may be another service's, once the
	// token has been replaced.
	foreignAtLeast = 2
	// sampleSize is how many missing accounts are asked for one by one before a suspect listing is believed.
	sampleSize = 10
)

// ErrListingIncomplete says that a listing, and the one repeated at once, lacked too much to be believed. Nothing was
// concluded from it: the picture is the one before.
var ErrListingIncomplete = errors.New("the listing lacks too many managed accounts to be believed")

// believable reads the listing; a suspect one is read again, and then believed only if a spot check bears it out.
func (i *Inventory) believable(ctx context.Context, service Service, begun time.Time) (*picture, error) {
	listed, err := readAll(ctx, service, begun, i.Len())
	if err != nil || !i.suspect(listed) {
		return listed, err
	}
	if listed, err = readAll(ctx, service, begun, i.Len()); err != nil || !i.suspect(listed) {
		return listed, err
	}
	right, err := i.spotCheck(ctx, service, listed)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, ErrListingIncomplete
	}
	return listed, nil
}

// suspect tells whether a listing lacks so much that a fault of the listing is likelier than a removal. An empty one
// lacks even the administrator whom every service has.
func (i *Inventory) suspect(listed *picture) bool {
	missing, expected := i.missing(listed)
	if len(listed.accounts) == 0 && (expected > 0 || i.Len() > 0) {
		return true
	}
	return len(missing) > max(suspectAtLeast, expected/suspectShare) || i.foreign(len(missing), expected)
}

// foreign tells whether a listing may be another service's, for whose accounts the token is: it lacks all of many managed
// accounts, or of more than one where it is the first since the token was replaced.
func (i *Inventory) foreign(missing, expected int) bool {
	i.mu.RLock()
	replaced := i.picture.term != i.term && !i.picture.begun.IsZero()
	i.mu.RUnlock()
	return missing == expected && (missing > suspectAtLeast || replaced && missing >= foreignAtLeast)
}

// missing returns the managed accounts that the listing lacks, and how many it should have; those known to be gone are
// left out of both.
func (i *Inventory) missing(listed *picture) (ids []mfaclient.AccountID, expected int) {
	held := i.opts.Managed()
	i.mu.RLock()
	defer i.mu.RUnlock()
	for id := range held {
		_, listedNow := listed.accounts[id]
		if !listedNow && (i.absent[id].confirmed || i.pins[id].deleted) {
			continue
		}
		expected++
		if !listedNow {
			ids = append(ids, id)
		}
	}
	return ids, expected
}

// spotCheck asks for some of the missing accounts one by one. The listing is right about them when none is there. One that may
// be of another service is not believed whatever the answers.
func (i *Inventory) spotCheck(ctx context.Context, service Service, listed *picture) (right bool, err error) {
	sample, expected := i.missing(listed)
	if i.foreign(len(sample), expected) {
		return false, nil
	}
	if len(listed.accounts) == 0 {
		sample = append(i.knownIDs(), sample...)
	}
	for _, id := range sample[:min(len(sample), sampleSize)] {
		_, err := service.GetAccount(ctx, id)
		switch mfaclient.KindOf(err) {
		case mfaclient.KindNotFound:
			continue
		case mfaclient.KindDenied: // it may not be read, so it may be there
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// knownIDs returns the ids of the picture, in no order.
func (i *Inventory) knownIDs() []mfaclient.AccountID {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return slices.Collect(maps.Keys(i.picture.accounts))
}
