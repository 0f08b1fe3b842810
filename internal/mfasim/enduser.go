package mfasim

import (
	"errors"
	"strings"
)

// Why the end user's side refuses.
var (
	ErrNoAccount       = errors.New("mfasim: no account has this login")
	ErrCodeUnknown     = errors.New("mfasim: no such code was ever issued")
	ErrCodeUsed        = errors.New("mfasim: the code has been used")
	ErrCodeCancelled   = errors.New("mfasim: the code was cancelled, by a newer one or with its account")
	ErrCodeExpired     = errors.New("mfasim: the code has expired")
	ErrCodeInactive    = errors.New("mfasim: the code has not been switched on")
	ErrBlocked         = errors.New("mfasim: the account is blocked")
	ErrPINBlocked      = errors.New("mfasim: too many wrong PINs")
	ErrNotEnrolled     = errors.New("mfasim: the account has no device")
	ErrPurposeOutdated = errors.New("mfasim: the account is no longer in the state that the code was made for")
)

// UseCode plays the end user who types a code or opens a link. It does what the code's purpose says, and the code is spent.
func (s *Service) UseCode(codeOrLink string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(codeOrLink)
	if err != nil {
		return err
	}
	a := k.owner
	k.used = true
	switch k.purpose {
	case purposeUnlock:
		a.pinErrors = 0
		a.setDeviceState(deviceActive)
	case purposeRestore:
		a.devices, a.pinErrors = nil, 0 // the new device comes with a new PIN
		s.enrol(a)
	default:
		s.enrol(a)
	}
	s.record("CODE_USED", a.Login, a.Login)
	return nil
}

// Accepts tells whether UseCode would work now, and changes nothing.
func (s *Service) Accepts(codeOrLink string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.usable(codeOrLink)
	return err == nil
}

func (s *Service) usable(codeOrLink string) (*code, error) {
	k := s.codes[strings.TrimPrefix(codeOrLink, s.opts.LinkBase)]
	switch {
	case k == nil:
		return nil, ErrCodeUnknown
	case k.used:
		return nil, ErrCodeUsed
	case k.cancelled:
		return nil, ErrCodeCancelled
	case k.expired(s.now()):
		return nil, ErrCodeExpired
	case !k.active:
		return nil, ErrCodeInactive
	case k.owner.Blocked:
		return nil, ErrBlocked
	case !purposeFits(k.purpose, k.owner.lifecycle(s.now())):
		return nil, ErrPurposeOutdated
	}
	return k, nil
}

// LiveCode is the one code of an account that is neither used, cancelled nor expired (for a link, its long code).
// An inactive code is live, though Accepts says no until it is switched on.
func (s *Service) LiveCode(login string) (value string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.store.find(login); a != nil {
		if k := a.liveCode(s.now()); k != nil {
			return k.value, true
		}
	}
	return "", false
}

// CodesIssued counts the codes ever issued for a login, those of accounts since deleted included.
func (s *Service) CodesIssued(login string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued[loginKey(login)]
}
