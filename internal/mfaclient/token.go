package mfaclient

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Token is the API token of one service. It prints as "[redacted]".
type Token struct{ secret }

// Claims is what a token tells about itself. Nothing of it is verified: it informs and guards against mix-ups, it never
// grants anything. All fields are zero for an opaque token.
type Claims struct {
	Subject    string    // claim sub, as it stands (S)
	ServiceID  string    // the part of sub before the first slash (S)
	AdminLogin string    // the part of sub after the first slash: the account the token acts as (S)
	ExpiresAt  time.Time // claim exp (A); zero when the token does not say
}

// NewToken takes the bytes of a Secret. White space around the token is dropped, since editors and shells add newlines.
// The error never shows the token.
func NewToken(raw []byte) (Token, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return Token{}, errors.New("the token is empty")
	}
	for _, b := range raw {
		// Only visible ASCII may stand in an Authorization header.
		if b <= ' ' || b > '~' {
			return Token{}, errors.New("the token has white space, control or non-ASCII characters inside")
		}
	}
	return Token{newSecret(string(raw))}, nil
}

// Equal tells whether both are the same token.
func (t Token) Equal(other Token) bool { return t.reveal() == other.reveal() }

// Claims reads the token as a JWT without verifying it: only the service has the key.
func (t Token) Claims() Claims {
	claims := jwt.MapClaims{}
	// An unknown signature algorithm is an error too, but the claims are read by then.
	_, _, err := jwt.NewParser().ParseUnverified(t.reveal(), claims)
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) {
		return Claims{}
	}
	var out Claims
	if subject, err := claims.GetSubject(); err == nil {
		out.Subject = subject
		if service, login, found := strings.Cut(subject, "/"); found {
			out.ServiceID, out.AdminLogin = service, login
		}
	}
	if exp, err := claims.GetExpirationTime(); err == nil && exp != nil && plausible(exp.Time) {
		out.ExpiresAt = exp.UTC()
	}
	return out
}

// plausible rejects dates that RFC 3339 cannot write: they come from overflowing numbers and would break a status.
func plausible(t time.Time) bool { return t.UTC().Year() >= 1970 && t.UTC().Year() <= 9999 }
