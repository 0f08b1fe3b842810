package mfasim

import (
	"crypto/rand"
	"time"
)

// Code types (D).
const (
	codeShort    = 0
	codeInactive = 1
	codeLink     = 2
)

// Purposes of a code (A spelling).
const (
	purposeEnrollment = "ENROLLMENT"
	purposeAddDevice  = "ADD_DEVICE"
	purposeUnlock     = "UNLOCK"
	purposeRestore    = "RESTORE"
)

// code is one code or link that was ever issued. Dead ones are kept, so that using one can say why it is dead.
type code struct {
	owner     *account
	value     string
	link      string // type 2 only
	purpose   string
	codeType  int
	expires   time.Time
	active    bool // usable; a type 1 is not before ActivateCode
	used      bool
	cancelled bool // by a newer code, or with its account
}

func (k *code) expired(now time.Time) bool { return !now.Before(k.expires) }

// liveCode is the account's one code that is neither used, cancelled nor expired. An inactive code is live: it can still be switched on.
func (a *account) liveCode(now time.Time) *code {
	if k := a.code; k != nil && !k.used && !k.cancelled && !k.expired(now) {
		return k
	}
	return nil
}

func checkCodeType(codeType *int) error {
	if codeType == nil || *codeType < codeShort || *codeType > codeLink {
		return invalid("codeType must be 0, 1 or 2")
	}
	return nil
}

// newCode issues a code and thereby cancels the one before: an account has at most one live code (D).
func (s *Service) newCode(a *account, purpose string, codeType int) *code {
	if a.code != nil {
		a.code.cancelled = true
	}
	// 26 letters and digits make a long code, 9 of them a short one. Short ones are letters too, so that
	// no clock reading or id in a log can be taken for a code.
	k := &code{owner: a, value: rand.Text(), purpose: purpose, codeType: codeType, active: codeType != codeInactive}
	switch codeType {
	case codeShort:
		k.value, k.expires = k.value[:9], s.now().Add(s.opts.Lifetimes.Short)
	case codeInactive:
		k.value, k.expires = k.value[:9], s.now().Add(s.opts.Lifetimes.Inactive)
	default:
		k.link, k.expires = s.opts.LinkBase+k.value, s.now().Add(s.opts.Lifetimes.Link)
	}
	a.code = k
	s.codes[k.value] = k
	s.issued[loginKey(a.Login)]++
	return k
}

// purposeFits tells for whom a purpose is. A block lies over the state beneath and does not change it.
func purposeFits(purpose, state string) bool {
	switch purpose {
	case purposeEnrollment:
		return state == StatusPending || state == StatusExpired
	case purposeAddDevice:
		return state == StatusActivated
	case purposeUnlock:
		return state == StatusPINBlocked
	default:
		return state == StatusActivated || state == StatusPINBlocked
	}
}

// wireCode is a code on the wire. codeType is a pointer because 0 is a type, and ActivateCode's answer has none.
type wireCode struct {
	Code      string `json:"code"`
	Link      string `json:"link,omitempty"`
	CodeType  *int   `json:"codeType,omitempty"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

func (s *Service) spellCode(k *code) wireCode {
	out := wireCode{Code: k.value, Link: k.link}
	if !s.opts.OmitExpiresAt {
		out.ExpiresAt = stamp(k.expires)
	}
	return out
}
