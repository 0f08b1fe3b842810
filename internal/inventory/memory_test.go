package inventory_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// maxBytesPerAccount bounds the picture: 10,000 accounts in 6 MB.
const maxBytesPerAccount = 600

// generated serves n accounts made afresh for each page, every string on its own, as a decoder does.
type generated int

func (n generated) ListAccounts(_ context.Context, page, limit int) (mfaclient.AccountPage, error) {
	var out mfaclient.AccountPage
	for k := page*limit + 1; k <= min((page+1)*limit, int(n)); k++ {
		a := account(k)
		a.FirstName, a.LastName, a.Phone = strings.Clone(a.FirstName), strings.Clone(a.LastName), strings.Clone(a.Phone)
		a.Language, a.CreatedBy = strings.Clone(a.Language), strings.Clone(a.CreatedBy)
		a.LastAuthenticated = start
		out.Accounts = append(out.Accounts, a)
	}
	out.HasMore = (page+1)*limit < int(n)
	return out, nil
}

func (generated) GetAccount(context.Context, mfaclient.AccountID) (mfaclient.Account, error) {
	return mfaclient.Account{}, fault(mfaclient.KindNotFound)
}

func generatedInventory(n int) (*inventory.Inventory, *clocktesting.FakePassiveClock) {
	clk := clocktesting.NewFakePassiveClock(start)
	managed := map[mfaclient.AccountID]struct{}{}
	for k := 1; k <= n; k++ {
		managed[id(k)] = struct{}{}
	}
	inv := inventory.New(inventory.Options{Clock: clk, Managed: func() map[mfaclient.AccountID]struct{} { return managed }})
	inv.Use(generated(n))
	return inv, clk
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestMemoryOfAPicture(t *testing.T) {
	for _, n := range []int{1000, 10000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			g := NewWithT(t)
			inv, clk := generatedInventory(n)
			before := heap()
			for range 3 { // an old picture must not live on
				clk.SetTime(clk.Now().Add(time.Minute))
				g.Expect(inv.Refresh(t.Context(), clk.Now())).To(Succeed())
			}
			perAccount := (int(heap()) - int(before)) / n
			t.Logf("%d bytes per account", perAccount)
			g.Expect(perAccount).To(And(BeNumerically(">", 100), BeNumerically("<", maxBytesPerAccount)))
			runtime.KeepAlive(inv)
		})
	}
}

func BenchmarkRefresh(b *testing.B) {
	inv, clk := generatedInventory(10000)
	b.ReportAllocs()
	for b.Loop() {
		clk.SetTime(clk.Now().Add(time.Minute))
		if err := inv.Refresh(b.Context(), clk.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
