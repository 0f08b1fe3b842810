package pattern

import (
	"slices"
	"strings"
	"unicode"
)

// MatchAny tells whether one of the patterns matches.
func MatchAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return Match(pattern, text) })
}

// Match tells whether a pattern matches the whole text, without regard to case. * stands for any characters, also none;
// nothing else is special.
func Match(pattern, text string) bool {
	parts := strings.Split(fold(pattern), "*")
	text = fold(text)
	if len(parts) == 1 {
		return parts[0] == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	// The earliest place for each part leaves the most room for those that follow.
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

// fold puts capitals into lower case where each is the only capital of its letter. The Kelvin sign is not: it has the
// lower case k, but whoever allows *@kpn.com does not mean a host with the sign in its name.
func fold(text string) string {
	return strings.Map(func(letter rune) rune {
		if small := unicode.ToLower(letter); unicode.ToUpper(small) == letter {
			return small
		}
		return letter
	}, text)
}
