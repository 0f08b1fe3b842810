package rules

import (
	"strings"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// MaxWrites is how often in a row a field is written that the service does not keep.
const MaxWrites = 3

// Difference is what has to be written to an account, field by field.
type Difference []Change

// Change is one field: its name in the manifest, its value in the service, the one that is stated, and how that gets into
// a request. The values are for people who may see both; the operator writes down the name alone.
type Change struct {
	Name     string
	From, To string
	put      func(*mfaclient.AccountFields)
}

// Empty tells whether the account is as stated.
func (d Difference) Empty() bool { return len(d) == 0 }

// Names are the names of the fields in the manifest.
func (d Difference) Names() []string {
	names := make([]string, 0, len(d))
	for _, c := range d {
		names = append(names, c.Name)
	}
	return names
}

// Fields is what a request that writes the difference holds.
func (d Difference) Fields() (fields mfaclient.AccountFields) {
	for _, c := range d {
		c.put(&fields)
	}
	return fields
}

// Blocks tells whether writing the difference blocks the account.
func (d Difference) Blocks() bool {
	blocked := d.Fields().Blocked
	return blocked != nil && *blocked
}

// Demotes tells whether writing the difference takes power from the account.
func (d Difference) Demotes(account mfaclient.Account) bool {
	role := d.Fields().Role
	return role != nil && rank(*role) < rank(account.Role)
}

// Compare returns the stated fields in which the account differs. A field that the manifest leaves out never counts.
func Compare(user *v1alpha1.MFAUser, account mfaclient.Account) (d Difference) {
	spec := &user.Spec
	text := func(name string, stated *string, remote string, same func(a, b string) bool, put func(*mfaclient.AccountFields)) {
		if stated != nil && !same(*stated, remote) {
			d = append(d, Change{name, remote, *stated, put})
		}
	}
	text("firstName", spec.FirstName, account.FirstName, sameName, func(f *mfaclient.AccountFields) { f.FirstName = spec.FirstName })
	text("lastName", spec.LastName, account.LastName, sameName, func(f *mfaclient.AccountFields) { f.LastName = spec.LastName })
	text("email", spec.Email, account.Email, sameWord, func(f *mfaclient.AccountFields) { f.Email = spec.Email })
	text("phone", spec.Phone, account.Phone, samePhone, func(f *mfaclient.AccountFields) { f.Phone = spec.Phone })
	text("language", spec.Language, account.Language, sameWord, func(f *mfaclient.AccountFields) { f.Language = spec.Language })
	if spec.Role != nil && RemoteRole(*spec.Role) != account.Role {
		d = append(d, Change{"role", RoleText(account.Role), string(*spec.Role), func(f *mfaclient.AccountFields) {
			f.Role = new(RemoteRole(*spec.Role))
		}})
	}
	if blocked := statedBlock(user); blocked != nil && *blocked != account.Blocked {
		d = append(d, Change{"access", string(AccessOf(account.Blocked)), string(AccessOf(*blocked)), func(f *mfaclient.AccountFields) { f.Blocked = blocked }})
	}
	return d
}

// AccessOf is how a manifest states that an account is blocked, or that it is not.
func AccessOf(blocked bool) v1alpha1.Access {
	if blocked {
		return v1alpha1.AccessBlocked
	}
	return v1alpha1.AccessAllowed
}

// statedBlock is whether the account should be blocked; nil when nobody says. The block of our own removal is to go.
func statedBlock(user *v1alpha1.MFAUser) *bool {
	switch {
	case user.Spec.Access != nil:
		return new(*user.Spec.Access == v1alpha1.AccessBlocked)
	case user.Status.BlockedByRemoval:
		return new(false)
	}
	return nil
}

// What the service may write in another way than the manifest is the same all the same: written again it would change
// for nobody, and so for ever.

func sameName(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }

func sameWord(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// samePhone compares what is dialled: the service may write a number in groups, and 00 for the + of a country's code.
func samePhone(a, b string) bool { return dialled(a) == dialled(b) }

// dialled is a number without what only helps to read it. What is no number at all stays as it is: it differs from "".
func dialled(phone string) string {
	const grouping = " \u00a0\u202f\t()./-\u2010\u2011\u2013"
	digits := strings.Map(func(c rune) rune {
		if strings.ContainsRune(grouping, c) {
			return -1
		}
		return c
	}, phone)
	if international, found := strings.CutPrefix(digits, "00"); found {
		return "+" + international
	}
	return digits
}

// CreationFields are the fields that a new account gets: what the manifest states, but for role and access. Every account
// starts as a User who is not blocked, so that one whose creation was not answered can be told from somebody else's. What
// is left to write follows in the same pass.
func CreationFields(user *v1alpha1.MFAUser) mfaclient.AccountFields {
	spec := &user.Spec
	return mfaclient.AccountFields{
		FirstName: spec.FirstName, LastName: spec.LastName, Email: spec.Email, Phone: spec.Phone, Language: spec.Language,
		Role: new(mfaclient.RoleUser),
	}
}
