package mfasim_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// two pages of two accounts each.
func fourAccounts(t *testing.T, f mfasim.Fault) *tenant {
	w := newTenant(t, mfasim.Options{NoAdmin: true})
	for _, login := range []string{"a", "b", "c", "d"} {
		w.Seed(mfasim.Account{Login: login})
	}
	w.SetFault(f)
	return w
}

func (w *tenant) page(n string) (logins []any, more bool) {
	out := w.must(200, "GET", "/accounts?limit=2&page="+n, "")
	return field(out, "login"), out["hasMore"].(bool)
}

func TestEmptyListing(t *testing.T) {
	w := fourAccounts(t, mfasim.Fault{Kind: mfasim.FaultEmptyListing, Operation: "ListAccounts"})
	logins, more := w.page("0")
	w.Expect(logins).To(BeEmpty())
	w.Expect(more).To(BeFalse())
	a, _ := w.Account("a")
	w.must(200, "GET", "/accounts/"+a.ID.String(), "") // the account is there all the same
}

func TestRepeatPage(t *testing.T) {
	w := fourAccounts(t, mfasim.Fault{Kind: mfasim.FaultRepeatPage})
	for _, n := range []string{"0", "1", "7"} {
		logins, more := w.page(n)
		w.Expect(logins).To(Equal([]any{"a", "b"}))
		w.Expect(more).To(BeTrue())
	}
}

func TestPageShift(t *testing.T) {
	cases := map[string]struct {
		fault  mfasim.Fault
		second []any
	}{
		"one goes, and c is never seen":      {mfasim.Fault{Kind: mfasim.FaultPageShift, Count: 1}, []any{"d"}},
		"a certain one goes":                 {mfasim.Fault{Kind: mfasim.FaultPageShift, Count: 1, ShiftLogin: "b"}, []any{"d"}},
		"one comes, and b is seen twice":     {mfasim.Fault{Kind: mfasim.FaultPageShift, Count: 1, ShiftAdd: true}, []any{"b", "c"}},
		"nobody goes when the name is wrong": {mfasim.Fault{Kind: mfasim.FaultPageShift, Count: 1, ShiftLogin: "x"}, []any{"c", "d"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := fourAccounts(t, tc.fault)
			first, _ := w.page("0")
			w.Expect(first).To(Equal([]any{"a", "b"}), "the first page is as it was")
			second, _ := w.page("1")
			w.Expect(second).To(Equal(tc.second))
			again, _ := w.page("1")
			w.Expect(again).To(Equal(tc.second), "it acts once")
		})
	}
}

func TestPageShiftNamesWhoComes(t *testing.T) {
	w := fourAccounts(t, mfasim.Fault{Kind: mfasim.FaultPageShift, ShiftAdd: true, ShiftLogin: "early", Count: 1})
	w.page("1")
	w.Expect(w.Accounts()[0].Login).To(Equal("early"))
}
