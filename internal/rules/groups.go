package rules

import (
	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Memberships is how an account's groups differ from those stated.
type Memberships struct {
	Leave []mfaclient.Membership
	Join  map[mfaclient.GroupID]mfaclient.Role
}

// Empty tells whether the groups are as stated.
func (m Memberships) Empty() bool { return len(m.Leave)+len(m.Join) == 0 }

// MissingGroup returns the first stated group that the service does not have; empty when it has them all.
func MissingGroup(user *v1alpha1.MFAUser, ids map[string]mfaclient.GroupID) string {
	for _, group := range user.Spec.Groups {
		if _, ok := ids[group.Name]; !ok {
			return group.Name
		}
	}
	return ""
}

// CompareGroups returns the memberships to end and to begin or change. All stated groups are among the ids.
func CompareGroups(user *v1alpha1.MFAUser, ids map[string]mfaclient.GroupID, current []mfaclient.Membership) Memberships {
	m := Memberships{Join: map[mfaclient.GroupID]mfaclient.Role{}}
	for _, group := range user.Spec.Groups {
		m.Join[ids[group.Name]] = RemoteRole(group.Role)
	}
	for _, membership := range current {
		role, stated := m.Join[membership.Group.ID]
		switch {
		case !stated:
			m.Leave = append(m.Leave, membership)
		case role == membership.Role:
			delete(m.Join, membership.Group.ID)
		}
	}
	return m
}
