package controller

import (
	"strings"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// difference is what has to be written to an account: the fields, and their names as in the manifest.
type difference struct {
	fields mfaclient.AccountFields
	names  []string
}

func (d difference) empty() bool { return len(d.names) == 0 }

func (d difference) blocks() bool { return d.fields.Blocked != nil && *d.fields.Blocked }

func (d difference) demotes(account mfaclient.Account) bool {
	return d.fields.Role != nil && rank(*d.fields.Role) < rank(account.Role)
}

// takesAway tells whether writing the difference takes access or power from anybody. The block of an account that this
// very pass has made does not.
func (s *scope) takesAway(diff difference, account mfaclient.Account) bool {
	return diff.blocks() && !s.made || diff.demotes(account)
}

// compare returns the stated fields in which the account differs. A field that the manifest leaves out never counts.
func compare(user *v1alpha1.MFAUser, account mfaclient.Account, liftBlock bool) difference {
	var d difference
	spec := &user.Spec
	text := func(name string, stated *string, remote string, field **string, same func(a, b string) bool) {
		if stated != nil && !same(*stated, remote) {
			*field = stated
			d.names = append(d.names, name)
		}
	}
	text("firstName", spec.FirstName, account.FirstName, &d.fields.FirstName, exactly)
	text("lastName", spec.LastName, account.LastName, &d.fields.LastName, exactly)
	text("email", spec.Email, account.Email, &d.fields.Email, strings.EqualFold)
	text("phone", spec.Phone, account.Phone, &d.fields.Phone, samePhone)
	text("language", spec.Language, account.Language, &d.fields.Language, strings.EqualFold)
	if spec.Role != nil && remoteRoles[*spec.Role] != account.Role {
		d.fields.Role = new(remoteRoles[*spec.Role])
		d.names = append(d.names, "role")
	}
	switch {
	case spec.Access != nil && (*spec.Access == v1alpha1.AccessBlocked) != account.Blocked:
		d.fields.Blocked = new(*spec.Access == v1alpha1.AccessBlocked)
		d.names = append(d.names, "access")
	case spec.Access == nil && liftBlock && account.Blocked:
		d.fields.Blocked = new(false)
		d.names = append(d.names, "access")
	}
	return d
}

func exactly(a, b string) bool { return a == b }

// samePhone compares what is dialled: the service may write a number in groups.
func samePhone(a, b string) bool { return dialled(a) == dialled(b) }

func dialled(phone string) string {
	return strings.Map(func(c rune) rune {
		if c == '+' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, phone)
}

// creationFields are the fields that a new account gets: what the manifest states, but for role and access. Every account
// starts as a User who is not blocked, so that one whose creation was not answered can be told from somebody else's. What
// is left to write follows in the same pass.
func creationFields(user *v1alpha1.MFAUser) mfaclient.AccountFields {
	spec := &user.Spec
	return mfaclient.AccountFields{
		FirstName: spec.FirstName, LastName: spec.LastName, Email: spec.Email, Phone: spec.Phone, Language: spec.Language,
		Role: new(mfaclient.RoleUser),
	}
}
