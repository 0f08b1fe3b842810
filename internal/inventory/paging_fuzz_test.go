package inventory_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// FuzzRefresh reads listings that shift, repeat themselves, rename accounts on the way, stop short or never end: the picture
// has each account once, as it was shown last, and under its login; or there is no picture.
func FuzzRefresh(f *testing.F) {
	for _, seed := range []string{"", "abc", "ab|bc|d", "ab|", "a||b", "|", "aA|a", "aA|A|a|B", "ab|BA|c"} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, items []byte, endless bool) {
		script := &pageScript{pages: bytes.Split(items, []byte("|")), endless: endless}
		inv := inventory.New(inventory.Options{
			Clock:   clocktesting.NewFakePassiveClock(start),
			Managed: func() map[mfaclient.AccountID]struct{} { return nil },
		})
		inv.Use(script)
		err := inv.Refresh(t.Context(), start)
		want, calls, ends := script.expect()
		if script.calls != calls {
			t.Errorf("%d calls, not %d", script.calls, calls)
		}
		if !ends {
			if mfaclient.KindOf(err) != mfaclient.KindMalformed || !inv.Begun().IsZero() || inv.Len() != 0 {
				t.Errorf("%d accounts and %v of a listing that stops being one", inv.Len(), err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkPicture(t, inv, want)
	})
}

func checkPicture(t *testing.T, inv *inventory.Inventory, want map[mfaclient.AccountID]mfaclient.Account) {
	t.Helper()
	if inv.Len() != len(want) {
		t.Errorf("%d accounts, not %d", inv.Len(), len(want))
	}
	held := map[string]bool{}
	for id, account := range want {
		if got, ok := inv.ByID(id); !ok || got != account {
			t.Errorf("%s is %+v, %v", id, got, ok)
		}
		held[account.Login] = true
	}
	for login := range 4 {
		name := fmt.Sprintf("login-%d", login)
		got, ok := inv.ByLogin(name)
		if ok != held[name] || ok && want[got.ID] != got {
			t.Errorf("%s is held by %+v, %v", name, got, ok)
		}
	}
}

// pageScript is a service whose listing is written down: a byte is an account, its low half the id and the next two bits
// the login. An endless one repeats its last page for ever.
type pageScript struct {
	pages   [][]byte
	endless bool
	calls   int
}

func (s *pageScript) page(n int) (accounts []mfaclient.Account, more bool) {
	last := len(s.pages) - 1
	for _, item := range s.pages[min(n, last)] {
		accounts = append(accounts, mfaclient.Account{
			ID: mfaclient.AccountID(fmt.Sprint(item & 0xf)), Login: fmt.Sprintf("login-%d", item>>4&3), State: mfaclient.StateActivated,
		})
	}
	return accounts, s.endless || n < last
}

func (s *pageScript) ListAccounts(_ context.Context, page, _ int) (mfaclient.AccountPage, error) {
	s.calls++
	accounts, more := s.page(page)
	return mfaclient.AccountPage{Accounts: accounts, HasMore: more}, nil
}

func (*pageScript) GetAccount(context.Context, mfaclient.AccountID) (mfaclient.Account, error) {
	return mfaclient.Account{}, fault(mfaclient.KindNotFound)
}

// expect returns each account as it is shown last, how many calls it takes to know, and whether the listing ends.
func (s *pageScript) expect() (accounts map[mfaclient.AccountID]mfaclient.Account, calls int, ends bool) {
	accounts = map[mfaclient.AccountID]mfaclient.Account{}
	for n := 0; ; n++ {
		shown, more := s.page(n)
		before := len(accounts)
		for _, account := range shown {
			accounts[account.ID] = account
		}
		if !more || len(accounts) == before {
			return accounts, n + 1, !more
		}
	}
}
