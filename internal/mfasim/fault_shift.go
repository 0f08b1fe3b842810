package mfasim

import (
	"cmp"
	"slices"
)

// shiftPage plays a console edit between two pages of a listing. An account that goes from a page already read pulls the next page's first one
// back over the boundary, where nobody looks again; one that comes there pushes the last one over, and it is seen twice.
func (s *Service) shiftPage(f *Fault) {
	if f.ShiftAdd {
		s.shiftIn(f.ShiftLogin)
		return
	}
	s.shiftOut(f.ShiftLogin)
}

func (s *Service) shiftOut(login string) {
	victim := s.store.find(login)
	if login == "" {
		i := slices.IndexFunc(s.store.ordered, func(a *account) bool { return a.Role == RoleUser })
		if i < 0 {
			return
		}
		victim = s.store.ordered[i]
	}
	if victim != nil {
		s.drop(victim)
	}
}

// shiftIn adds an account with an id below all others, as an import of old records would.
func (s *Service) shiftIn(login string) {
	id := s.nextID
	if len(s.store.ordered) > 0 {
		id = s.store.ordered[0].ID - 1
	}
	// It fails only when the login is there already, and then there is nothing to add.
	_, _ = s.seed(Account{ID: id, Login: cmp.Or(login, "shifted-"+id.String()+"@example.com"), Status: StatusActivated})
}
