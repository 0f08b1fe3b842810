package mfasim

import "net/http"

// account finds the account that the path names.
func (s *Service) account(c *call) (*account, error) {
	if id, ok := parseID(c.r.PathValue("account")); ok {
		if a := s.store.get(id); a != nil {
			return a, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "ACCOUNT_NOT_FOUND", "no such account")
}

// writable finds the account that the path names and makes sure that the caller may change it.
func (s *Service) writable(c *call) (*account, error) {
	a, err := s.account(c)
	if err != nil {
		return nil, err
	}
	return a, c.actor.mayManage(a.Role)
}

func (s *Service) listAccounts(c *call) (any, error) {
	if c.faulty(FaultPageShift) {
		s.shiftPage(c.fault)
	}
	return pageOf(c, s.store.ordered, func(a *account) any {
		out := s.spellAccount(a)
		if live := a.liveCode(s.now()); live != nil && *s.opts.LeakCodes {
			out.Code = live.value
		}
		return out
	})
}

// createRequest is the body of CreateAccount. The type of the enrolment code has no default: a client must know what it asks for.
type createRequest struct {
	accountInput
	CodeType *int `json:"codeType"`
}

func (s *Service) createAccount(c *call) (any, error) {
	var in createRequest
	if err := decode(c.body, &in); err != nil {
		return nil, err
	}
	if in.Login == nil {
		return nil, invalid("login is required")
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := checkCodeType(in.CodeType); err != nil {
		return nil, err
	}
	fresh := Account{Login: *in.Login, Role: RoleUser, Language: "en", CreatedBy: "API"}
	in.applyTo(&fresh)
	if err := c.actor.mayManage(fresh.Role); err != nil {
		return nil, err
	}
	if s.store.takenByOther(fresh.Login, nil) {
		return nil, loginExists()
	}
	a := s.insert(fresh)
	s.record("ACCOUNT_CREATED", c.actor.login, a.Login)
	issued := s.newCode(a, purposeEnrollment, *in.CodeType)
	out := s.spellAccount(a)
	out.Code, out.Link = issued.value, issued.link
	return out, nil
}

func (s *Service) getAccount(c *call) (any, error) {
	a, err := s.account(c)
	if err != nil {
		return nil, err
	}
	return s.spellAccount(a), nil
}

func (s *Service) updateAccount(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	var in accountInput
	if err := decode(c.body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := c.actor.mayManage(string(*in.Role)); err != nil {
			return nil, err
		}
	}
	if in.Login != nil {
		if s.store.takenByOther(*in.Login, a) {
			return nil, loginExists()
		}
		s.store.rename(a, *in.Login)
	}
	in.applyTo(&a.Account)
	s.record("ACCOUNT_UPDATED", c.actor.login, a.Login)
	return s.spellAccount(a), nil
}

func (s *Service) deleteAccount(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	s.drop(a)
	s.record("ACCOUNT_DELETED", c.actor.login, a.Login)
	return nil, nil
}

// insert adds an account under a new id, or the one it brings.
func (s *Service) insert(fields Account) *account {
	if fields.ID == 0 {
		fields.ID = s.newID()
	}
	s.nextID = max(s.nextID, fields.ID+1)
	a := &account{Account: fields, groups: map[ID]string{}}
	s.store.add(a)
	return a
}

// drop removes an account and what hangs on it: its code dies, and so do the tokens that act for it.
func (s *Service) drop(a *account) {
	s.store.remove(a)
	if a.code != nil {
		a.code.cancelled = true
	}
	for text, t := range s.tokens {
		if loginKey(t.admin) == loginKey(a.Login) {
			delete(s.tokens, text)
		}
	}
}
