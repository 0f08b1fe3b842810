package mfasim

import (
	"cmp"
	"slices"
	"strings"
)

// store keeps accounts ordered by id, so that a page is a slice of them, and finds them by login.
type store struct {
	ordered []*account
	byLogin map[string]*account
}

// loginKey folds a login: logins are unique in a service without regard to case.
func loginKey(login string) string { return strings.ToLower(login) }

func (st *store) find(login string) *account { return st.byLogin[loginKey(login)] }

func (st *store) get(id ID) *account {
	if i, found := st.search(id); found {
		return st.ordered[i]
	}
	return nil
}

func (st *store) search(id ID) (int, bool) {
	return slices.BinarySearchFunc(st.ordered, id, func(a *account, id ID) int { return cmp.Compare(a.ID, id) })
}

// add keeps the order; ids grow, so nearly always this appends.
func (st *store) add(a *account) {
	i, _ := st.search(a.ID)
	st.ordered = slices.Insert(st.ordered, i, a)
	st.byLogin[loginKey(a.Login)] = a
}

func (st *store) remove(a *account) {
	if i, found := st.search(a.ID); found {
		st.ordered = slices.Delete(st.ordered, i, i+1)
	}
	delete(st.byLogin, loginKey(a.Login))
}

// rename moves an account to another login; the caller has made sure that it is free.
func (st *store) rename(a *account, login string) {
	delete(st.byLogin, loginKey(a.Login))
	a.Login = login
	st.byLogin[loginKey(login)] = a
}

// takenByOther tells whether a login belongs to another account than a (nil for a new one).
func (st *store) takenByOther(login string, a *account) bool {
	holder := st.find(login)
	return holder != nil && holder != a
}
