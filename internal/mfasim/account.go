package mfasim

import "time"

// States of an account (the five are D, their spelling A).
const (
	StatusPending    = "PENDING_ACTIVATION"
	StatusActivated  = "ACTIVATED"
	StatusExpired    = "EXPIRED"
	StatusBlocked    = "BLOCKED"
	StatusPINBlocked = "PIN_BLOCKED"
)

// Roles that every tenant knows; tenants may have their own besides.
const (
	RoleUser          = "USER"
	RoleManager       = "MANAGER"
	RoleAdministrator = "ADMINISTRATOR"
)

// maxPINErrors is how many wrong PINs in a row lock an account.
const maxPINErrors = 3

// Account is an account as tests and the console see it.
type Account struct {
	ID        ID     `json:"id"`
	Login     string `json:"login"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
	Language  string `json:"language"` // fr or en; default en
	Role      string `json:"role"`     // default USER; any other string stands for a custom role
	// Status is computed. Writing it through Seed or UpdateAccount puts the account in that state; an unheard-of one is shown as it is.
	Status                 string    `json:"status"`
	Blocked                bool      `json:"blocked"`
	CreatedBy              string    `json:"createdBy"` // API, or CONSOLE for a seeded one
	LastAuthenticationDate time.Time `json:"lastAuthenticationDate,omitzero"`
}

// account is the tenant's own record. The embedded Status is never read: status computes it.
type account struct {
	Account
	activated bool   // a first device was enrolled once
	oddStatus string // shown instead of the computed status, to play a state that clients do not know
	pinErrors int
	pinReset  bool  // ResetPINErrors was used since the last good authentication
	code      *code // the newest, dead or alive; nil when none was ever issued
	devices   []Device
	groups    map[ID]string // role by group
}

// status is computed at each look, so that a code that runs out needs no timer.
func (a *account) status(now time.Time) string {
	switch {
	case a.Blocked:
		return StatusBlocked
	case a.oddStatus != "":
		return a.oddStatus
	}
	return a.lifecycle(now)
}

// lifecycle is the state beneath a block.
func (a *account) lifecycle(now time.Time) string {
	switch {
	case !a.activated && a.code != nil && a.code.expired(now):
		return StatusExpired
	case !a.activated:
		return StatusPending
	case a.pinErrors >= maxPINErrors:
		return StatusPINBlocked
	}
	return StatusActivated
}

// snapshot copies the account for the outside.
func (a *account) snapshot(now time.Time) Account {
	out := a.Account
	out.Status = a.status(now)
	return out
}

// setStatus puts an account in a state by the shortest way that makes the computed status come out so.
func (s *Service) setStatus(a *account, status string) {
	a.Blocked, a.oddStatus = false, ""
	switch status {
	case StatusBlocked:
		a.Blocked = true
	case StatusPending:
		a.forgetActivation()
	case StatusExpired:
		a.forgetActivation()
		a.code = &code{owner: a, purpose: purposeEnrollment, codeType: codeLink, expires: s.now()}
	case StatusActivated:
		a.pinErrors = 0
		s.ensureActivated(a)
	case StatusPINBlocked:
		s.ensureActivated(a)
		a.lockPIN()
	default:
		a.oddStatus = status
	}
}

// forgetActivation takes an account back to where it was before its first code.
func (a *account) forgetActivation() {
	if a.code != nil {
		a.code.cancelled = true
	}
	a.activated, a.devices, a.code = false, nil, nil
}

// ensureActivated gives an account its first device, unless it has been activated before.
func (s *Service) ensureActivated(a *account) {
	if !a.activated {
		s.enrol(a)
	}
	a.setDeviceState(deviceActive)
}

// wireAccount is an account on the wire; code and link stand in a creation's answer, code also in a listing that leaks.
type wireAccount struct {
	ID                     any    `json:"id"`
	Login                  string `json:"login"`
	FirstName              string `json:"firstName"`
	LastName               string `json:"lastName"`
	Email                  string `json:"email"`
	Phone                  string `json:"phone"`
	Language               string `json:"language"`
	Role                   any    `json:"role"`
	Status                 string `json:"status"`
	Blocked                bool   `json:"blocked"`
	CreatedBy              string `json:"createdBy"`
	LastAuthenticationDate string `json:"lastAuthenticationDate,omitempty"`
	Code                   string `json:"code,omitempty"`
	Link                   string `json:"link,omitempty"`
}

func (s *Service) spellAccount(a *account) wireAccount {
	out := wireAccount{
		ID: s.wireID(a.ID), Login: a.Login, FirstName: a.FirstName, LastName: a.LastName, Email: a.Email, Phone: a.Phone,
		Language: a.Language, Role: s.wireRole(a.Role), Status: a.status(s.now()), Blocked: a.Blocked, CreatedBy: a.CreatedBy,
	}
	if !a.LastAuthenticationDate.IsZero() {
		out.LastAuthenticationDate = stamp(a.LastAuthenticationDate)
	}
	return out
}
