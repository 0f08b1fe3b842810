package pattern_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/pattern"
)

func TestMatch(t *testing.T) {
	cases := map[string]struct {
		yes, no []string
	}{
		"*@example.com":       {[]string{"a@example.com", "@example.com", "A@EXAMPLE.com"}, []string{"a@example.com.evil.org", "a@example.comx", "a@exampleXcom", "example.com", ""}},
		"*@EXAMPLE.com":       {[]string{"a@example.com", "a@Example.COM"}, []string{"a@example.org"}},
		"*":                   {[]string{"", "anything", "two\nlines"}, nil},
		"":                    {[]string{""}, []string{"a"}},
		"alice":               {[]string{"alice", "ALICE"}, []string{"alice2", "malice", ""}},
		"a*b*c":               {[]string{"abc", "aXbYc", "abbcc", "abcbc"}, []string{"ab", "ac", "acb", "xabc"}},
		"a*a":                 {[]string{"aa", "aba"}, []string{"a"}},
		"a**b":                {[]string{"ab", "axb"}, []string{"a"}},
		"a.b?[c]":             {[]string{"a.b?[c]"}, []string{"axb?[c]", "a.bx[c]", "a.b?c"}},
		"*-admin-*@corp.test": {[]string{"x-admin-y@corp.test", "-admin-@corp.test"}, []string{"x-admin@corp.test", "x-admin-y@corp.test2"}},
		"*@élan.test":         {[]string{"a@ÉLAN.test"}, []string{"a@elan.test"}},
		// Letters that become plain ones in lower case: the Kelvin sign, a capital I with a dot, a long s.
		"*@kis.test": {[]string{"a@KIS.test"}, []string{"a@\u212ais.test", "a@k\u0130s.test", "a@ki\u017f.test"}},
	}
	for p, tc := range cases {
		t.Run(p, func(t *testing.T) {
			g := NewWithT(t)
			for _, text := range tc.yes {
				g.Expect(pattern.Match(p, text)).To(BeTrue(), text)
			}
			for _, text := range tc.no {
				g.Expect(pattern.Match(p, text)).To(BeFalse(), text)
			}
		})
	}
}

func TestMatchAny(t *testing.T) {
	g := NewWithT(t)
	g.Expect(pattern.MatchAny([]string{"a*", "*b"}, "xb")).To(BeTrue())
	g.Expect(pattern.MatchAny([]string{"a*", "*b"}, "x")).To(BeFalse())
	g.Expect(pattern.MatchAny(nil, "")).To(BeFalse())
}
