package rules

import (
	"testing"

	. "github.com/onsi/gomega"
)

// TestSameAllTheSame: what the service writes in another way is no difference; what differs is one.
func TestSameAllTheSame(t *testing.T) {
	cases := map[string]struct {
		same func(a, b string) bool
		a, b string
		want bool
	}{
		"spaces around a name":     {sameName, " Alice ", "Alice", true},
		"a name in other case":     {sameName, "ALICE", "Alice", false},
		"a space within a name":    {sameName, "Al ice", "Alice", false},
		"an address in other case": {sameWord, "A@Example.com", "a@example.com ", true},
		"another address":          {sameWord, "a@example.com", "a@example.org", false},
		"a number in groups":       {samePhone, "+33 6 12-34.56(78)", "+33612345678", true},
		"00 for +":                 {samePhone, "0033612345678", "+33612345678", true},
		"one 0 is no +":            {samePhone, "033612345678", "+33612345678", false},
		"a number at home":         {samePhone, "0612345678", "+33612345678", false},
		"an extension":             {samePhone, "+33612345678 x12", "+3361234567812", false},
		"no number, to be cleared": {samePhone, "", "n/a", false},
		"nothing but spaces":       {samePhone, "", " ", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(tc.same(tc.a, tc.b)).To(Equal(tc.want))
			g.Expect(tc.same(tc.b, tc.a)).To(Equal(tc.want))
		})
	}
}
