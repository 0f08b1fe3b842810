package mfasim

import "net/http"

// Authenticate plays the end user who signs in with the right PIN.
func (s *Service) Authenticate(login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.signingIn(login)
	if err != nil {
		return err
	}
	a.pinErrors, a.pinReset = 0, false
	a.LastAuthenticationDate = s.now()
	s.record("AUTHENTICATED", a.Login, a.Login)
	return nil
}

// MistypePIN plays the end user who types a wrong PIN. The third in a row locks the account.
func (s *Service) MistypePIN(login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.signingIn(login)
	if err != nil {
		return err
	}
	if a.pinErrors++; a.pinErrors >= maxPINErrors {
		a.lockPIN()
	}
	s.record("PIN_MISTYPED", a.Login, a.Login)
	return nil
}

// signingIn finds an account whose owner can try a PIN.
func (s *Service) signingIn(login string) (*account, error) {
	a := s.store.find(login)
	switch {
	case a == nil:
		return nil, ErrNoAccount
	case a.Blocked:
		return nil, ErrBlocked
	case len(a.devices) == 0:
		return nil, ErrNotEnrolled
	case a.pinErrors >= maxPINErrors:
		return nil, ErrPINBlocked
	}
	return a, nil
}

// lockPIN locks an account and its devices as the last wrong PIN does.
func (a *account) lockPIN() {
	a.pinErrors = maxPINErrors
	a.setDeviceState(devicePINLocked)
}

// resetPINErrors works once until the next good authentication: a user who keeps guessing cannot be helped for ever.
func (s *Service) resetPINErrors(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	if a.pinReset {
		return nil, refuse(http.StatusConflict, "PIN_RESET_USED", "already reset since the last good authentication")
	}
	a.pinReset, a.pinErrors = true, 0
	a.setDeviceState(deviceActive)
	s.record("PIN_ERRORS_RESET", c.actor.login, a.Login)
	return nil, nil
}
