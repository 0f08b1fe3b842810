package export

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestName(t *testing.T) {
	cases := map[string]struct{ login, want string }{
		"an address":         {"alice@example.com", "alice--example.com"},
		"in capitals":        {"Alice@Example.COM", "alice--example.com"},
		"a word":             {"alice", "alice"},
		"an underscore":      {"alice_m", "alice-m-bd67a67d"},
		"what would be read": {"alice--example.com", "alice-example-com-e35c2634"},
		"letters of Hellas":  {"αλίκη", "user-206bf615"},
		"separators alone":   {"-.-", "user-c3ba3324"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(Name(tc.login)).To(Equal(tc.want))
		})
	}
}

// TestNamesAreValidAndDistinct: whatever the logins, each name is one of Kubernetes, and so is that of its Secret.
func TestNamesAreValidAndDistinct(t *testing.T) {
	g := NewWithT(t)
	logins := []string{
		"a@b", "a--b", "a-b", "a_b", "a.b", "a..b", ".a", "a.", "-", "@", "ß",
		strings.Repeat("a", 249), strings.Repeat("a", 250), strings.Repeat("a", 255), strings.Repeat("a-", 127) + "b", strings.Repeat("a", 124) + "@" + strings.Repeat("b", 124),
	}
	for n := range 2000 {
		logins = append(logins, fmt.Sprintf("user_%d@example.com", n))
	}
	names := Names(logins)
	seen := map[string]string{}
	for login, name := range names {
		g.Expect(validation.IsDNS1123Subdomain(name+"-mfa")).To(BeEmpty(), login)
		g.Expect(seen).NotTo(HaveKey(name), login)
		seen[name] = login
	}
	g.Expect(names).To(HaveLen(len(logins)))
}

// TestNamesCollide: of two logins with one name neither keeps it, whoever comes first in the listing.
func TestNamesCollide(t *testing.T) {
	g := NewWithT(t)
	taker := Name("a_b") // which is a login that makes a name by itself
	there, back := Names([]string{"a_b", taker, "c"}), Names([]string{"c", taker, "a_b"})
	g.Expect(there).To(Equal(back))
	g.Expect(there["a_b"]).NotTo(Equal(there[taker]))
	g.Expect(there["c"]).To(Equal("c"))
	for _, name := range there {
		g.Expect(validation.IsDNS1123Subdomain(name)).To(BeEmpty())
	}
}
