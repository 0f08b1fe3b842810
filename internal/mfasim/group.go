package mfasim

import "slices"

type group struct {
	id   ID
	name string
}

type wireGroup struct {
	ID   any    `json:"id"`
	Name string `json:"name"`
	Role any    `json:"role,omitempty"` // of the account asked for; the list of all groups has none
}

// AddGroup makes a group in the console and returns its id; a name that exists keeps its id. No call of the API creates one.
func (s *Service) AddGroup(name string) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.groupNamed(name); ok {
		return g.id
	}
	g := group{id: s.newID(), name: name}
	s.groups = append(s.groups, g) // stays ordered by id, for ids grow
	return g.id
}

// Groups are the names of all groups, oldest first.
func (s *Service) Groups() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, g := range s.groups {
		names = append(names, g.name)
	}
	return names
}

func (s *Service) groupNamed(name string) (group, bool) {
	i := slices.IndexFunc(s.groups, func(g group) bool { return g.name == name })
	if i < 0 {
		return group{}, false
	}
	return s.groups[i], true
}

func (s *Service) listGroups(c *call) (any, error) {
	return pageOf(c, s.groups, func(g group) any { return wireGroup{ID: s.wireID(g.id), Name: g.name} })
}
