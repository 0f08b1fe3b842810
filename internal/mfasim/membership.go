package mfasim

import (
	"errors"
	"net/http"
	"slices"
)

// ErrNoGroup says that a group has to be made first, with AddGroup.
var ErrNoGroup = errors.New("mfasim: no such group")

// Membership is an account's place in a group.
type Membership struct {
	GroupID ID     `json:"groupId"`
	Group   string `json:"group"`
	Role    string `json:"role"`
}

// SetMembership puts an account into a group with a role, or takes it out when the role is empty: someone editing in the console.
func (s *Service) SetMembership(login, groupName, role string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(login)
	if a == nil {
		return ErrNoAccount
	}
	g, ok := s.groupNamed(groupName)
	if !ok {
		return ErrNoGroup
	}
	if role == "" {
		delete(a.groups, g.id)
		return nil
	}
	a.groups[g.id] = role
	return nil
}

// Memberships are the groups of an account in the order the groups were made; none for a login that does not exist.
func (s *Service) Memberships(login string) []Membership {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.store.find(login); a != nil {
		return s.memberships(a)
	}
	return nil
}

func (s *Service) memberships(a *account) []Membership {
	var out []Membership
	for _, g := range s.groups {
		if role, in := a.groups[g.id]; in {
			out = append(out, Membership{GroupID: g.id, Group: g.name, Role: role})
		}
	}
	return out
}

func (s *Service) listAccountGroups(c *call) (any, error) {
	a, err := s.account(c)
	if err != nil {
		return nil, err
	}
	return pageOf(c, s.memberships(a), func(m Membership) any {
		return wireGroup{ID: s.wireID(m.GroupID), Name: m.Group, Role: s.wireRole(m.Role)}
	})
}

// place finds the group and the account that a membership call names.
func (s *Service) place(c *call) (*account, ID, error) {
	id, ok := parseID(c.r.PathValue("group"))
	if !ok || !slices.ContainsFunc(s.groups, func(g group) bool { return g.id == id }) {
		return nil, 0, refuse(http.StatusNotFound, "GROUP_NOT_FOUND", "no such group")
	}
	a, err := s.writable(c)
	return a, id, err
}

func (s *Service) putMembership(c *call) (any, error) {
	a, groupID, err := s.place(c)
	if err != nil {
		return nil, err
	}
	var in struct {
		Role *roleInput `json:"role"`
	}
	if err := decode(c.body, &in); err != nil {
		return nil, err
	}
	if in.Role == nil {
		return nil, invalid("role is required")
	}
	if err := in.Role.check(); err != nil {
		return nil, err
	}
	if err := c.actor.mayManage(string(*in.Role)); err != nil {
		return nil, err
	}
	a.groups[groupID] = string(*in.Role)
	s.record("MEMBERSHIP_SET", c.actor.login, a.Login)
	return nil, nil
}

func (s *Service) deleteMembership(c *call) (any, error) {
	a, groupID, err := s.place(c)
	if err != nil {
		return nil, err
	}
	if _, in := a.groups[groupID]; !in {
		return nil, refuse(http.StatusNotFound, "MEMBERSHIP_NOT_FOUND", "the account is not in this group")
	}
	delete(a.groups, groupID)
	s.record("MEMBERSHIP_DELETED", c.actor.login, a.Login)
	return nil, nil
}
