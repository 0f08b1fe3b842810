package mfasim

import (
	"cmp"
	"errors"
	"fmt"
)

// ErrLoginTaken says that no account can be put there: the login is empty, or another account has it or the id.
var ErrLoginTaken = errors.New("mfasim: the login is empty, or it or the id is taken")

// Seed puts an account into the tenant as if it had been there all along. Only the login is required; see Account for the defaults, the status is
// PENDING_ACTIVATION without a code. It panics on a login or id that is taken: the test itself is wrong then.
func (s *Service) Seed(fields Account) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.seed(fields)
	if err != nil {
		panic(fmt.Sprintf("seed %q: %v", fields.Login, err))
	}
	return out
}

func (s *Service) seed(fields Account) (Account, error) {
	if fields.Login == "" || s.store.takenByOther(fields.Login, nil) || s.store.get(fields.ID) != nil {
		return Account{}, ErrLoginTaken
	}
	fields.Role = cmp.Or(fields.Role, RoleUser)
	fields.Language = cmp.Or(fields.Language, "en")
	fields.CreatedBy = cmp.Or(fields.CreatedBy, "CONSOLE")
	a := s.insert(fields)
	if fields.Status != "" {
		s.setStatus(a, fields.Status)
		a.Blocked = a.Blocked || fields.Blocked
	}
	return a.snapshot(s.now()), nil
}

// SeedN seeds n activated accounts with the logins <prefix>-00001@example.com and so on; those that exist are left alone.
func (s *Service) SeedN(n int, prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i <= n; i++ {
		login := fmt.Sprintf("%s-%05d@example.com", prefix, i)
		// The only way to fail is an account that is there already.
		_, _ = s.seed(Account{Login: login, Email: login, FirstName: prefix, LastName: fmt.Sprintf("%05d", i), Status: StatusActivated})
	}
}

// Account is the account with a login, case ignored.
func (s *Service) Account(login string) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look(s.store.find(login))
}

// AccountByID is the account with an id.
func (s *Service) AccountByID(id ID) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look(s.store.get(id))
}

func (s *Service) look(a *account) (Account, bool) {
	if a == nil {
		return Account{}, false
	}
	return a.snapshot(s.now()), true
}

// Accounts are all accounts, ordered by id.
func (s *Service) Accounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	out := make([]Account, 0, len(s.store.ordered))
	for _, a := range s.store.ordered {
		out = append(out, a.snapshot(now))
	}
	return out
}

// UpdateAccount is someone editing an account in the console. The id cannot change; see Account.Status for what writing the status does.
func (s *Service) UpdateAccount(login string, edit func(*Account)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(login)
	if a == nil {
		return ErrNoAccount
	}
	before := a.snapshot(s.now())
	after := before
	edit(&after)
	if after.Login == "" || s.store.takenByOther(after.Login, a) {
		return ErrLoginTaken
	}
	s.store.rename(a, after.Login)
	after.ID = before.ID
	a.Account = after
	if after.Status != before.Status {
		s.setStatus(a, after.Status)
	}
	return nil
}

// DeleteAccount is someone deleting an account in the console; false when there was none.
func (s *Service) DeleteAccount(login string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(login)
	if a == nil {
		return false
	}
	s.drop(a)
	return true
}

// IssueCode is an administrator issuing a code in the console, which cancels the one before. Purpose and codeType are spelled as on the wire.
// For a link it returns the long code.
func (s *Service) IssueCode(login, purpose string, codeType int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(login)
	if a == nil {
		return "", ErrNoAccount
	}
	if err := (issueRequest{Purpose: purpose, CodeType: &codeType}).check(); err != nil {
		return "", err
	}
	return s.newCode(a, purpose, codeType).value, nil
}
