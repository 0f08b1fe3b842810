package rules

import (
	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

var remoteRoles = map[v1alpha1.Role]mfaclient.Role{
	v1alpha1.RoleUser:          mfaclient.RoleUser,
	v1alpha1.RoleManager:       mfaclient.RoleManager,
	v1alpha1.RoleAdministrator: mfaclient.RoleAdministrator,
}

// RemoteRole is the service's spelling of a role.
func RemoteRole(role v1alpha1.Role) mfaclient.Role { return remoteRoles[role] }

// RoleOf is the role that the service spells so. It is not known when it is one of the tenant's own.
func RoleOf(remote mfaclient.Role) (v1alpha1.Role, bool) {
	for role, name := range remoteRoles {
		if name == remote {
			return role, true
		}
	}
	return "", false
}

// RoleText is a role for people: as a manifest has it, or as the service does where a manifest can't.
func RoleText(remote mfaclient.Role) string {
	if role, known := RoleOf(remote); known {
		return string(role)
	}
	return string(remote)
}

// rank orders the known roles by power; unknown ones are above all.
func rank(role mfaclient.Role) int {
	switch role {
	case mfaclient.RoleUser:
		return 0
	case mfaclient.RoleManager:
		return 1
	case mfaclient.RoleAdministrator:
		return 2
	}
	return 3
}

// State translates the service's spelling.
func State(state mfaclient.State) v1alpha1.AccountState {
	switch state {
	case mfaclient.StatePendingActivation:
		return v1alpha1.StatePendingActivation
	case mfaclient.StateActivated:
		return v1alpha1.StateActivated
	case mfaclient.StateExpired:
		return v1alpha1.StateExpired
	case mfaclient.StateBlocked:
		return v1alpha1.StateBlocked
	case mfaclient.StatePinBlocked:
		return v1alpha1.StatePinBlocked
	}
	return v1alpha1.StateUnknown
}
