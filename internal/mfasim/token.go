package mfasim

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenLife is the standard life of an API token: 13 months (D).
const tokenLife = 396 * 24 * time.Hour

// token is what the tenant remembers of a token it gave out.
type token struct {
	admin   string    // login of the administrator it acts for
	expires time.Time // zero: never
}

// actor is who makes a call.
type actor struct {
	login string
	role  string
}

// Token is a JWT of the seeded administrator, valid for 13 months.
func (s *Service) Token() string { return s.token }

// IssueToken signs a JWT for an administrator, with sub "<serviceId>/<login>". Life zero means that it never expires and carries no exp;
// a negative life gives a token that has expired already. Any number of tokens are valid at a time.
func (s *Service) IssueToken(admin string, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	signed, expires := s.sign(s.opts.ServiceID, admin, life)
	s.tokens[signed] = token{admin: admin, expires: expires}
	return signed
}

// ForeignToken signs a JWT of another tenant. This one refuses it, unless AddOpaqueToken lets it in.
func (s *Service) ForeignToken(serviceID, admin string, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	signed, _ := s.sign(serviceID, admin, life)
	return signed
}

// AddOpaqueToken lets any string in as a token of the seeded administrator; it never expires.
func (s *Service) AddOpaqueToken(opaque string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[opaque] = token{admin: s.opts.AdminLogin}
}

// RevokeToken ends a token at once.
func (s *Service) RevokeToken(revoked string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, revoked)
}

func (s *Service) sign(serviceID, admin string, life time.Duration) (string, time.Time) {
	// The jti keeps two tokens of the same second apart.
	claims := jwt.RegisteredClaims{Subject: serviceID + "/" + admin, IssuedAt: jwt.NewNumericDate(s.now()), ID: rand.Text()}
	var expires time.Time
	if life != 0 {
		expires = s.now().Add(life).Truncate(time.Second) // exp has whole seconds
		claims.ExpiresAt = jwt.NewNumericDate(expires)
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.signKey)
	if err != nil {
		panic(err) // HMAC with a byte key cannot fail
	}
	return signed, expires
}

// authenticate finds out who calls. Tokens are looked up, not verified: one that the tenant did not give out, or took back, is not in the table.
func (s *Service) authenticate(r *http.Request) (actor, error) {
	scheme, presented, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	known, ok := s.tokens[presented]
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return actor{}, refuse(http.StatusUnauthorized, "UNAUTHORIZED", "a valid API token is required")
	}
	if !known.expires.IsZero() && !s.now().Before(known.expires) {
		return actor{}, refuse(http.StatusUnauthorized, "TOKEN_EXPIRED", "the API token has expired")
	}
	who := actor{login: known.admin, role: RoleAdministrator}
	if a := s.store.find(known.admin); a != nil {
		if who.role = a.Role; a.Blocked {
			return actor{}, refuse(http.StatusUnauthorized, "UNAUTHORIZED", "the token's administrator is blocked")
		}
	}
	if who.role != RoleAdministrator && who.role != RoleManager {
		return actor{}, refuse(http.StatusForbidden, "FORBIDDEN", "the token's owner may not use the customer endpoints")
	}
	return who, nil
}

// mayManage refuses a manager who reaches for more than plain users: MANAGER creates, changes and deletes users (D).
func (who actor) mayManage(role string) error {
	if who.role == RoleAdministrator || role == RoleUser {
		return nil
	}
	return refuse(http.StatusForbidden, "FORBIDDEN", "a manager may only manage plain users")
}
