package inventory_test

import (
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Everything at once; the race detector is the judge, and the picture has to come out right.
func TestEverythingAtOnce(t *testing.T) {
	const accounts, rounds = 120, 30
	g := NewWithT(t)
	service, managed := &fakeService{}, map[mfaclient.AccountID]struct{}{}
	for k := 1; k <= accounts; k++ {
		service.add(account(k))
		managed[id(k)] = struct{}{}
	}
	clk := clocktesting.NewFakePassiveClock(start)
	inv := inventory.New(inventory.Options{
		Clock: clk, Managed: func() map[mfaclient.AccountID]struct{} { return managed },
		OnChange: func([]inventory.Change) {},
	})
	inv.Use(service)

	jobs := []func(n int){
		func(int) { g.Expect(inv.Refresh(t.Context(), clk.Now())).To(Succeed()) },
		func(int) { g.Expect(inv.Refresh(t.Context(), clk.Now())).To(Succeed()) },
		func(n int) { a := account(1 + n%accounts); a.Phone = "new"; inv.Put(a) },
		func(n int) { inv.Remove(id(1 + (n*7)%accounts)) },
		func(n int) { inv.Suspect(id(1 + (n*3)%accounts)) },
		func(n int) {
			_, _, err := inv.Gone(t.Context(), id(1+(n*5)%accounts))
			g.Expect(err).NotTo(HaveOccurred())
		},
		func(n int) { inv.ByLogin(login(n)); inv.ByID(id(n)); inv.Missing(id(n)) },
		func(int) { inv.CountByState(); inv.CountRole(mfaclient.RoleUser); inv.Len(); inv.Begun() },
		func(int) { inv.Use(service) },
		func(int) { clk.SetTime(clk.Now().Add(grace / rounds)) },
	}
	var all sync.WaitGroup
	for _, job := range jobs {
		all.Go(func() {
			for n := range rounds {
				job(n)
			}
		})
	}
	all.Wait()

	clk.SetTime(start.Add(24 * grace))
	g.Expect(inv.Refresh(t.Context(), clk.Now())).To(Succeed())
	g.Expect(inv.Len()).To(Equal(accounts))
	for k := 1; k <= accounts; k++ {
		seen, ok := inv.ByID(id(k))
		g.Expect(ok).To(BeTrue())
		g.Expect(seen).To(Equal(account(k)))
		g.Expect(inv.Missing(id(k))).To(BeFalse())
	}
}
