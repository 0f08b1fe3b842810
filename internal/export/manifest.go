package export

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	applyv1alpha1 "github.com/trustbuilder-mfa/operator/api/applyconfiguration/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// Target is what all manifests of an export have in common.
type Target struct {
	Namespace  string
	Connection *v1alpha1.MFAConnection
}

// Entry is an account and, where they were read, its groups.
type Entry struct {
	Account mfaclient.Account
	Groups  []mfaclient.Membership
	// WithGroups states the groups. An account without any leaves them unmanaged.
	WithGroups bool
}

// Manifest makes an MFAUser that states the account as it is, looks at it without writing, and takes it over where the
// connection allows that. Fields that hold nothing, or that an MFAUser can't state, are left out and so not managed; the
// latter are returned by name.
func (t Target) Manifest(name string, entry Entry) (manifest *applyv1alpha1.MFAUserApplyConfiguration, unstated []string) {
	account := entry.Account
	spec := applyv1alpha1.MFAUserSpec().
		WithConnectionRef(t.reference()).
		WithLogin(account.Login).
		WithAccess(rules.AccessOf(account.Blocked)).
		WithAdoptionPolicy(v1alpha1.AdoptionIfExists).
		WithManagementPolicy(v1alpha1.ManagementObserve)
	for _, field := range []struct {
		name, value string
		fits        func(string) bool
		state       func(string) *applyv1alpha1.MFAUserSpecApplyConfiguration
	}{
		{"firstName", account.FirstName, upTo(255), spec.WithFirstName},
		{"lastName", account.LastName, upTo(255), spec.WithLastName},
		{"email", account.Email, both(upTo(254), emailPattern.MatchString), spec.WithEmail},
		{"phone", account.Phone, both(upTo(32), phonePattern.MatchString), spec.WithPhone},
		{"language", account.Language, func(l string) bool { return l == "en" || l == "fr" }, spec.WithLanguage},
	} {
		switch {
		case field.value == "":
		case field.fits(field.value):
			field.state(field.value)
		default:
			unstated = append(unstated, field.name)
		}
	}
	if role, known := rules.RoleOf(account.Role); known {
		spec.WithRole(role)
	} else {
		unstated = append(unstated, "role")
	}
	if entry.WithGroups && !t.stateGroups(spec, entry.Groups) {
		unstated = append(unstated, "groups")
	}
	return applyv1alpha1.MFAUser(name, t.Namespace).WithSpec(spec), unstated
}

// reference names the connection as shortly as it can be named from the target's namespace.
func (t Target) reference() *applyv1alpha1.ConnectionReferenceApplyConfiguration {
	ref := applyv1alpha1.ConnectionReference().WithName(t.Connection.Name)
	if t.Namespace != t.Connection.Namespace {
		ref.WithNamespace(t.Connection.Namespace)
	}
	return ref
}

// stateGroups states the groups, unless one of them would have the whole manifest refused.
func (t Target) stateGroups(spec *applyv1alpha1.MFAUserSpecApplyConfiguration, groups []mfaclient.Membership) bool {
	stated := make([]*applyv1alpha1.GroupMembershipApplyConfiguration, 0, len(groups))
	probe := &v1alpha1.MFAUser{Spec: v1alpha1.MFAUserSpec{Login: *spec.Login}}
	for _, membership := range groups {
		role, known := rules.RoleOf(membership.Role)
		name := membership.Group.Name
		if !known || name == "" || !upTo(128)(name) || slices.ContainsFunc(probe.Spec.Groups, func(g v1alpha1.GroupMembership) bool { return g.Name == name }) {
			return false
		}
		probe.Spec.Groups = append(probe.Spec.Groups, v1alpha1.GroupMembership{Name: name, Role: role})
		stated = append(stated, applyv1alpha1.GroupMembership().WithName(name).WithRole(role))
	}
	if len(stated) > maxGroups || rules.Violation(t.Connection, probe) != "" {
		return false
	}
	slices.SortFunc(stated, func(a, b *applyv1alpha1.GroupMembershipApplyConfiguration) int {
		return strings.Compare(*a.Name, *b.Name)
	})
	spec.WithGroups(stated...)
	return true
}

// What the API server accepts, as the markers in api/v1alpha1 have it. A test applies what is at the edge of it.
var (
	loginPattern = regexp.MustCompile(`^[^\s\p{C}\p{Z}]+$`)
	emailPattern = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	phonePattern = regexp.MustCompile(`^[+]?[0-9][0-9 ()./-]*$`)
)

const maxGroups = 64

func upTo(most int) func(string) bool {
	return func(text string) bool { return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most }
}

func both(a, b func(string) bool) func(string) bool {
	return func(text string) bool { return a(text) && b(text) }
}
