package mfasim

import (
	"cmp"
	"encoding/json"
	"time"
)

// accountState is an account with all that the simulator knows of it. It shows live codes: that is what this side is for.
type accountState struct {
	Account
	LiveCode *codeState   `json:"liveCode,omitempty"`
	Devices  []Device     `json:"devices"`
	Groups   []Membership `json:"groups"`
}

type codeState struct {
	Code      string    `json:"code"`
	Link      string    `json:"link,omitempty"`
	Purpose   string    `json:"purpose"`
	CodeType  int       `json:"codeType"`
	Active    bool      `json:"active"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (s *Service) stateOf(a *account) accountState {
	out := accountState{Account: a.snapshot(s.now()), Devices: append([]Device{}, a.devices...), Groups: s.memberships(a)}
	if k := a.liveCode(s.now()); k != nil {
		out.LiveCode = &codeState{Code: k.value, Link: k.link, Purpose: k.purpose, CodeType: k.codeType, Active: k.active, ExpiresAt: k.expires}
	}
	return out
}

func (s *Service) adminState(*adminCall) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]accountState, 0, len(s.store.ordered))
	for _, a := range s.store.ordered {
		out = append(out, s.stateOf(a))
	}
	return map[string]any{"serviceId": s.opts.ServiceID, "now": s.now(), "accounts": out}, nil
}

func (s *Service) adminAccount(c *adminCall) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(c.r.PathValue("login"))
	if a == nil {
		return nil, ErrNoAccount
	}
	return s.stateOf(a), nil
}

func (s *Service) adminEdit(c *adminCall) (any, error) {
	var bad error
	err := s.UpdateAccount(c.r.PathValue("login"), func(a *Account) {
		edited := *a
		if bad = json.Unmarshal(c.body, &edited); bad == nil {
			*a = edited
		}
	})
	if err != nil {
		return nil, err
	}
	return nil, bad
}

func (s *Service) adminDelete(c *adminCall) (any, error) {
	if !s.DeleteAccount(c.r.PathValue("login")) {
		return nil, ErrNoAccount
	}
	return nil, nil
}

func (s *Service) adminSeed(c *adminCall) (any, error) {
	var in struct {
		Account
		Count  int    `json:"count"`
		Prefix string `json:"prefix"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Login == "" {
		s.SeedN(in.Count, cmp.Or(in.Prefix, "seed"))
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seed(in.Account)
}

func (s *Service) adminGroup(c *adminCall) (any, error) {
	var in struct{ Name, Login, Role string }
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Name == "" {
		return nil, invalid("name is required")
	}
	id := s.AddGroup(in.Name)
	if in.Login != "" {
		if err := s.SetMembership(in.Login, in.Name, in.Role); err != nil {
			return nil, err
		}
	}
	return map[string]any{"id": id, "name": in.Name}, nil
}
