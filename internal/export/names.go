package export

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
)

const (
	// maxName leaves room for the name of the code's Secret, <name>-mfa, within the 253 characters of a name.
	maxName = 253 - len(v1alpha1.DefaultSecretSuffix)
	// shortHash is enough to tell apart the few logins of a service that can't be written as they are.
	shortHash = 8
)

// plain is a login that makes a name by itself: words of letters and digits with single separators, and one @ at most. What
// stands for the @ is no single separator, so that no two plain logins have one name.
var plain = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*(@[a-z0-9]+([.-][a-z0-9]+)*)?$`)

// Name makes the name of an object from a login. It depends on the login alone, without regard to case: an export of next
// year has the names of today's, whoever joined or left.
func Name(login string) string { return name(login, shortHash) }

func name(login string, hashed int) string {
	key := inventory.LoginKey(login)
	if plain.MatchString(key) && len(key) < maxName && hashed == shortHash {
		return strings.Replace(key, "@", "--", 1)
	}
	sum := sha256.Sum256([]byte(key))
	tail := hex.EncodeToString(sum[:])[:hashed]
	readable := strings.Trim(separators.ReplaceAllString(key, "-"), "-")
	if readable == "" {
		readable = "user"
	}
	return strings.Trim(readable[:min(len(readable), maxName-len(tail)-1)], "-") + "-" + tail
}

var separators = regexp.MustCompile(`[^a-z0-9]+`)

// Names makes a name for each login, which are distinct. Should two have one name all the same, each of them gets a long one.
func Names(logins []string) map[string]string {
	names, takers := make(map[string]string, len(logins)), map[string]int{}
	for _, login := range logins {
		names[login] = Name(login)
		takers[names[login]]++
	}
	for login, taken := range names {
		if takers[taken] > 1 {
			names[login] = name(login, 2*sha256.Size)
		}
	}
	return names
}
