package mfasim_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestPaging(t *testing.T) {
	cases := map[string]struct {
		query string
		count int
		first int // which seeded account comes first
		more  bool
	}{
		"fifty by default":              {"", 50, 1, true},
		"pages count from zero":         {"?page=0&limit=100", 100, 1, true},
		"the next page goes on":         {"?page=1&limit=100", 100, 101, true},
		"a limit above the cap is cut":  {"?page=1&limit=500", 100, 101, true},
		"the last page":                 {"?page=2&limit=100", 30, 201, false},
		"a page that ends with the end": {"?page=1&limit=115", 100, 101, true},
		"exactly the end":               {"?page=22&limit=10", 10, 221, false},
		"behind the end":                {"?page=3&limit=100", 0, 0, false},
		"far behind the end":            {"?page=2147483647&limit=100", 0, 0, false},
		"other parameters are ignored":  {"?limit=1&login=user-00007@example.com", 1, 1, true},
	}
	w := newTenant(t, mfasim.Options{NoAdmin: true})
	w.SeedN(230, "user")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &tenant{WithT: NewWithT(t), Service: w.Service, url: w.url, client: w.client, token: w.token}
			out := w.must(200, "GET", "/accounts"+tc.query, "")
			logins := field(out, "login")
			w.Expect(logins).To(HaveLen(tc.count))
			w.Expect(out["hasMore"]).To(Equal(tc.more))
			if tc.count > 0 {
				w.Expect(logins[0]).To(Equal(fmt.Sprintf("user-%05d@example.com", tc.first)))
			}
		})
	}
	for _, query := range []string{"?page=-1", "?page=x", "?limit=0", "?limit=-1", "?limit=1.5", "?page=99999999999"} {
		w.refused(400, "INVALID_PAGE", "GET", "/accounts"+query, "")
	}
}

func TestAnEmptyListingIsAnArray(t *testing.T) {
	w := newTenant(t, mfasim.Options{NoAdmin: true})
	w.Expect(w.must(200, "GET", "/accounts", "")).To(Equal(object{"content": []any{}, "hasMore": false}))
}

func TestListAccountsLeaksLiveCodes(t *testing.T) {
	w := newTenant(t, mfasim.Options{NoAdmin: true})
	_, made := w.create("alice", "0")
	w.Expect(field(w.must(200, "GET", "/accounts", ""), "code")).To(Equal([]any{made["code"]}))
	w.clock.Step(15 * time.Minute)
	w.Expect(field(w.must(200, "GET", "/accounts", ""), "code")).To(Equal([]any{nil}), "a dead code does not leak")

	w = newTenant(t, mfasim.Options{NoAdmin: true, LeakCodes: new(false)})
	w.create("alice", "0")
	w.Expect(field(w.must(200, "GET", "/accounts", ""), "code")).To(Equal([]any{nil}))
}

// A big tenant must not make a benchmark of the operator a benchmark of the simulator.
func TestListingTenThousandIsComplete(t *testing.T) {
	w := newTenant(t, mfasim.Options{NoAdmin: true})
	w.SeedN(10_000, "user")
	seen := map[any]bool{}
	for page := 0; ; page++ {
		out := w.must(200, "GET", fmt.Sprintf("/accounts?limit=100&page=%d", page), "")
		for _, login := range field(out, "login") {
			seen[login] = true
		}
		if out["hasMore"] == false {
			break
		}
	}
	w.Expect(seen).To(HaveLen(10_000))
	w.Expect(w.Calls()).To(Equal(map[string]int{"ListAccounts": 100}))
}
