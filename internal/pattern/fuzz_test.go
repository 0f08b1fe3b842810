package pattern_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trustbuilder-mfa/operator/internal/pattern"
)

// FuzzMatch holds the matcher against a regular expression. That knows more letters to be the same than we want, so of
// letters beyond ASCII only one half is asked for: what we match, it must match too.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"*@example.com", "a@example.com"}, {"*@EXAMPLE.com", "A@example.COM"}, {"a*a*", "aXa"}, {"a*a", "a"}, {"", ""}, {"**", "\n"},
		{"a.b", "axb"}, {"k", "\u212a"}, {"*\u00e9*", "\u00c9"}, {"*b*b", "ab"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, p, text string) {
		if !utf8.ValidString(p) || !utf8.ValidString(text) || len(p) > 200 || len(text) > 200 {
			return // no manifest can hold such a text
		}
		got, want := pattern.Match(p, text), matchSlowly(p, text)
		if got != want && (got || ascii(p) && ascii(text)) {
			t.Errorf("Match(%q, %q) = %v", p, text, got)
		}
		if !pattern.Match(p, p) {
			t.Errorf("%q does not match itself", p)
		}
		if ascii(p) && ascii(text) && got != pattern.Match(strings.ToUpper(p), strings.ToLower(text)) {
			t.Errorf("the case of %q and %q makes a difference", p, text)
		}
	})
}

func matchSlowly(p, text string) bool {
	parts := strings.Split(p, "*")
	for n, part := range parts {
		parts[n] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`(?is)\A` + strings.Join(parts, `.*`) + `\z`).MatchString(text)
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(letter rune) bool { return letter >= utf8.RuneSelf })
}
