package inventory_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// start is the time at which every test begins.
var start = time.Date(2026, 11, 1, 10, 11, 12, 0, time.UTC)

// grace is how long an account must be missing, and how long a write of ours stands.
const grace = time.Minute

// fakeService is a service in memory. Its hooks are called without its lock, so that they may change it.
type fakeService struct {
	mu       sync.Mutex
	accounts []mfaclient.Account // in the order of the listing
	pageSize int                 // 0: what is asked for
	pages    int                 // calls of ListAccounts
	listings int                 // those for the first page
	gets     []mfaclient.AccountID

	// beforePage may change the accounts, wait, or fail the call.
	beforePage func(page int) error
	// answer may change a page before it is given out.
	answer func(page int, honest mfaclient.AccountPage) mfaclient.AccountPage
	// afterGet comes when a GET has been answered, before the caller gets to know.
	afterGet func()
	getErr   error
}

func (f *fakeService) ListAccounts(_ context.Context, page, limit int) (mfaclient.AccountPage, error) {
	f.mu.Lock()
	f.pages++
	if page == 0 {
		f.listings++
	}
	beforePage, answer := f.beforePage, f.answer
	f.mu.Unlock()
	if beforePage != nil {
		if err := beforePage(page); err != nil {
			return mfaclient.AccountPage{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pageSize > 0 {
		limit = f.pageSize
	}
	from := min(page*limit, len(f.accounts))
	to := min(from+limit, len(f.accounts))
	out := mfaclient.AccountPage{Accounts: slices.Clone(f.accounts[from:to]), HasMore: to < len(f.accounts)}
	if answer != nil {
		out = answer(page, out)
	}
	return out, nil
}

func (f *fakeService) GetAccount(_ context.Context, id mfaclient.AccountID) (mfaclient.Account, error) {
	account, err := f.get(id)
	if f.afterGet != nil {
		f.afterGet()
	}
	return account, err
}

func (f *fakeService) get(id mfaclient.AccountID) (mfaclient.Account, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets = append(f.gets, id)
	if f.getErr != nil {
		return mfaclient.Account{}, f.getErr
	}
	if n := f.index(id); n >= 0 {
		return f.accounts[n], nil
	}
	return mfaclient.Account{}, fault(mfaclient.KindNotFound)
}

func (f *fakeService) index(id mfaclient.AccountID) int {
	return slices.IndexFunc(f.accounts, func(a mfaclient.Account) bool { return a.ID == id })
}

// edit changes an account, as somebody at the console would.
func (f *fakeService) edit(id mfaclient.AccountID, change func(*mfaclient.Account)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.accounts[f.index(id)])
}

func (f *fakeService) remove(ids ...mfaclient.AccountID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts = slices.DeleteFunc(f.accounts, func(a mfaclient.Account) bool { return slices.Contains(ids, a.ID) })
}

func (f *fakeService) add(accounts ...mfaclient.Account) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts = append(f.accounts, accounts...)
}

func fault(kind mfaclient.Kind) error { return &mfaclient.Error{Kind: kind, Operation: "test"} }

// world is an inventory with the service it looks at.
type world struct {
	*WithT
	*inventory.Inventory
	clock   *clocktesting.FakePassiveClock
	service *fakeService
	managed map[mfaclient.AccountID]struct{}
	changes []inventory.Change // of the listings since they were last taken
	told    func([]inventory.Change)
}

// newWorld seeds n accounts, all managed; no listing has been taken.
func newWorld(t *testing.T, n int) *world {
	t.Helper()
	w := &world{
		WithT: NewWithT(t), clock: clocktesting.NewFakePassiveClock(start), service: &fakeService{},
		managed: map[mfaclient.AccountID]struct{}{},
	}
	w.Inventory = inventory.New(inventory.Options{
		Clock:   w.clock,
		Managed: func() map[mfaclient.AccountID]struct{} { return w.managed },
		OnChange: func(changes []inventory.Change) {
			w.changes = append(w.changes, changes...)
			if w.told != nil {
				w.told(changes)
			}
		},
	})
	w.Use(w.service)
	for k := 1; k <= n; k++ {
		w.service.add(account(k))
		w.hold(id(k))
	}
	return w
}

// listed is newWorld with a first listing taken.
func listed(t *testing.T, n int) *world {
	t.Helper()
	w := newWorld(t, n)
	w.list()
	return w
}

func (w *world) hold(ids ...mfaclient.AccountID) {
	for _, id := range ids {
		w.managed[id] = struct{}{}
	}
}

func (w *world) release(ids ...mfaclient.AccountID) {
	for _, id := range ids {
		delete(w.managed, id)
	}
}

func (w *world) step(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }

// list takes a listing a second later.
func (w *world) list() {
	w.step(time.Second)
	w.Expect(w.tryList()).To(Succeed())
}

func (w *world) tryList() error { return w.Refresh(context.Background(), w.clock.Now()) }

// takeChanges returns what was reported since the last time.
func (w *world) takeChanges() []inventory.Change {
	taken := w.changes
	w.changes = nil
	return taken
}

// seen is the account in the picture, which must have it.
func (w *world) seen(id mfaclient.AccountID) mfaclient.Account {
	account, ok := w.ByID(id)
	w.Expect(ok).To(BeTrue(), "account %s is not in the picture", id)
	return account
}

// verdict asks whether an account is gone; the service must answer.
func (w *world) verdict(id mfaclient.AccountID) (gone bool, wait time.Duration) {
	gone, wait, err := w.Gone(context.Background(), id)
	w.Expect(err).NotTo(HaveOccurred())
	return gone, wait
}

func id(n int) mfaclient.AccountID { return mfaclient.AccountID(fmt.Sprint(1000 + n)) }

func login(n int) string { return fmt.Sprintf("user-%d@example.com", n) }

func account(n int) mfaclient.Account {
	return mfaclient.Account{
		ID: id(n), Login: login(n), FirstName: "First", LastName: "Last", Email: login(n), Phone: "+33612345678",
		Language: "en", Role: mfaclient.RoleUser, State: mfaclient.StateActivated, CreatedBy: "API",
	}
}

func change(n int) inventory.Change { return inventory.Change{ID: id(n), Login: login(n)} }
