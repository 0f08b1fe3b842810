package inventory_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// tenant is an inventory that looks at the simulator by way of the real client.
type tenant struct {
	*WithT
	*inventory.Inventory
	sim   *mfasim.Service
	clock *clocktesting.FakeClock
}

// newTenant seeds n accounts, all managed, besides the administrator.
func newTenant(t *testing.T, n int) *tenant {
	t.Helper()
	clk := clocktesting.NewFakeClock(start)
	w := &tenant{WithT: NewWithT(t), clock: clk, sim: mfasim.New(mfasim.Options{Clock: clk})}
	server := httptest.NewUnstartedServer(w.sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)

	token, err := mfaclient.NewToken([]byte(w.sim.Token()))
	w.Expect(err).NotTo(HaveOccurred())
	client, err := mfaclient.New(mfaclient.Config{
		BaseURL: server.URL, Token: token, Clock: clk,
		CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	})
	w.Expect(err).NotTo(HaveOccurred())

	w.sim.SeedN(n, "user")
	managed := map[mfaclient.AccountID]struct{}{}
	for _, a := range w.sim.Accounts() {
		if a.Role == mfasim.RoleUser {
			managed[mfaclient.AccountID(a.ID.String())] = struct{}{}
		}
	}
	w.Inventory = inventory.New(inventory.Options{Clock: clk, Managed: func() map[mfaclient.AccountID]struct{} { return managed }})
	w.Use(client)
	return w
}

func (w *tenant) tryList(t *testing.T) error {
	w.clock.Step(time.Second)
	return w.Refresh(t.Context(), w.clock.Now().Add(-time.Millisecond))
}

// expectAll compares the picture with every account of the tenant.
func (w *tenant) expectAll() {
	all := w.sim.Accounts()
	w.Expect(w.Len()).To(Equal(len(all)))
	for _, a := range all {
		got, ok := w.ByLogin(a.Login)
		w.Expect(ok).To(BeTrue())
		w.Expect(got.ID).To(BeEquivalentTo(a.ID.String()))
		w.Expect(w.Missing(got.ID)).To(BeFalse())
	}
}

func TestTheSimulatorIsListedAtTheStatedPrice(t *testing.T) {
	w := newTenant(t, 250)
	w.Expect(w.tryList(t)).To(Succeed())
	w.expectAll()
	w.Expect(w.sim.Calls()).To(Equal(map[string]int{"ListAccounts": 3}))
}

func TestAShiftOfTheSimulatorIsHealedByOneGet(t *testing.T) {
	cases := map[string]struct {
		fault mfasim.Fault
		gets  int
	}{
		// The 100th account after the administrator's slips back over the boundary.
		"one goes":  {mfasim.Fault{Kind: mfasim.FaultPageShift, Count: 1, ShiftLogin: "user-00007@example.com"}, 1},
		"one comes": {mfasim.Fault{Kind: mfasim.FaultPageShift, Count: 1, ShiftAdd: true}, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, 250)
			w.Expect(w.tryList(t)).To(Succeed())
			slips, _ := w.ByLogin("user-00100@example.com")
			w.sim.SetFault(tc.fault)
			w.sim.ResetCalls()
			w.Expect(w.tryList(t)).To(Succeed())
			if w.Missing(slips.ID) {
				gone, wait, err := w.Gone(t.Context(), slips.ID)
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(gone).To(BeFalse())
				w.Expect(wait).To(BeZero())
			}
			w.Expect(w.sim.Calls()["GetAccount"]).To(Equal(tc.gets))
			_, ok := w.ByID(slips.ID)
			w.Expect(ok).To(BeTrue())
			w.Expect(w.Missing(slips.ID)).To(BeFalse())

			w.Expect(w.tryList(t)).To(Succeed())
			if seven, ok := w.ByLogin("user-00007@example.com"); w.Missing(seven.ID) {
				w.Expect(ok).To(BeTrue())
				w.settle(t, seven.ID)
			}
			w.expectAll()
		})
	}
}

// settle waits until an account that was deleted is known to be gone.
func (w *tenant) settle(t *testing.T, id mfaclient.AccountID) {
	w.clock.Step(grace)
	gone, _, err := w.Gone(t.Context(), id)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(gone).To(BeTrue())
}

func TestFaultsOfTheSimulatorLoseNothing(t *testing.T) {
	cases := map[string]struct {
		fault mfasim.Fault
		want  mfaclient.Kind // 0: the listing is incomplete
	}{
		"an empty listing":    {mfasim.Fault{Kind: mfasim.FaultEmptyListing}, 0},
		"a page that repeats": {mfasim.Fault{Kind: mfasim.FaultRepeatPage}, mfaclient.KindMalformed},
		"a page cut short":    {mfasim.Fault{Kind: mfasim.FaultCutBody}, mfaclient.KindMalformed},
		"no JSON":             {mfasim.Fault{Kind: mfasim.FaultNotJSON}, mfaclient.KindMalformed},
		"an error":            {mfasim.Fault{Kind: mfasim.FaultStatus}, mfaclient.KindUnavailable},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, 250)
			w.Expect(w.tryList(t)).To(Succeed())
			tc.fault.Operation = "ListAccounts"
			w.sim.SetFault(tc.fault)
			err := w.tryList(t)
			w.Expect(mfaclient.KindOf(err)).To(Equal(tc.want))
			if tc.want == 0 {
				w.Expect(err).To(MatchError(inventory.ErrListingIncomplete))
			}
			w.expectAll()
			w.sim.ClearFaults()
			w.Expect(w.tryList(t)).To(Succeed())
			w.expectAll()
		})
	}
}
