package plugin

import (
	"context"
	"errors"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const (
	// maxPauses is how often in a row a call waits because the service asks to slow down, longestPause for how long at most.
	maxPauses    = 5
	longestPause = time.Minute
)

// patient reads from a service, and waits where it asks to slow down: the work of thousands of calls should not begin anew.
type patient struct{ remote *mfaclient.Client }

// ListAccounts is part of inventory.Service.
func (p patient) ListAccounts(ctx context.Context, page, limit int) (mfaclient.AccountPage, error) {
	return patiently(ctx, func() (mfaclient.AccountPage, error) { return p.remote.ListAccounts(ctx, page, limit) })
}

// GetAccount reads one account.
func (p patient) GetAccount(ctx context.Context, id mfaclient.AccountID) (mfaclient.Account, error) {
	return patiently(ctx, func() (mfaclient.Account, error) { return p.remote.GetAccount(ctx, id) })
}

// ListGroups reads the service's groups.
func (p patient) ListGroups(ctx context.Context) ([]mfaclient.Group, error) {
	return patiently(ctx, func() ([]mfaclient.Group, error) { return p.remote.ListGroups(ctx) })
}

// ListAccountGroups reads the groups of an account.
func (p patient) ListAccountGroups(ctx context.Context, id mfaclient.AccountID) ([]mfaclient.Membership, error) {
	return patiently(ctx, func() ([]mfaclient.Membership, error) { return p.remote.ListAccountGroups(ctx, id) })
}

// patiently makes a call again when the service asks to slow down for a while.
func patiently[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for range maxPauses {
		got, err := call()
		slow, ok := errors.AsType[*mfaclient.Error](err)
		if !ok || slow.Kind != mfaclient.KindRateLimited || slow.RetryAfter > longestPause {
			return got, err
		}
		timer := time.NewTimer(max(slow.RetryAfter, time.Second))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return got, ctx.Err()
		}
	}
	return call()
}
