package export

import (
	"fmt"
	"maps"
	"slices"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/pattern"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// Filter says which accounts somebody wants. What it leaves empty it does not ask for.
type Filter struct {
	Logins []string // patterns, one of which must match
	States []v1alpha1.AccountState
	Roles  []mfaclient.Role
}

// wants tells whether an account is among those asked for.
func (f Filter) wants(account mfaclient.Account) bool {
	return (len(f.Logins) == 0 || pattern.MatchAny(f.Logins, account.Login)) &&
		(len(f.States) == 0 || slices.Contains(f.States, rules.State(account.State))) &&
		(len(f.Roles) == 0 || slices.Contains(f.Roles, account.Role))
}

// Selection sorts out the accounts of a service. What it leaves out although it was asked for, it counts by reason.
type Selection struct {
	Connection *v1alpha1.MFAConnection
	Filter     Filter
	// Privileged takes in accounts whose role the connection's policy does not list.
	Privileged bool
	// Held tells whether some MFAUser has the account or its login already. Default: none has.
	Held func(mfaclient.Account) bool

	left map[string]int
}

// Pick returns the accounts to export, in the order in which they come.
func (s *Selection) Pick(accounts []mfaclient.Account) []mfaclient.Account {
	s.left = map[string]int{}
	logins := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(accounts), func(account mfaclient.Account) bool {
		if !s.Filter.wants(account) {
			return true
		}
		why := s.against(account)
		if key := inventory.LoginKey(account.Login); why == "" && logins[key] {
			why = "whose login another account of the service has too: only one of the two can be managed"
		} else {
			logins[key] = true
		}
		if why != "" {
			s.left[why]++
		}
		return why != ""
	})
}

// against says why an account can't be exported; empty when it can.
func (s *Selection) against(account mfaclient.Account) string {
	switch {
	case s.Held != nil && s.Held(account):
		return "that an MFAUser holds already"
	case !s.Privileged && !rules.RoleAllowed(s.Connection, account.Role):
		return "with a role that the connection's policy.roles does not list: the operator never touches them; --include-privileged exports them all the same"
	case !upTo(255)(account.Login) || !loginPattern.MatchString(account.Login):
		return "whose login no MFAUser can have"
	case !rules.LoginAllowed(s.Connection, account.Login):
		return "whose login matches none of the connection's policy.loginPatterns"
	}
	return ""
}

// Notes says what was left out and why, in a stable order.
func (s *Selection) Notes() []string {
	notes := make([]string, 0, len(s.left))
	for _, why := range slices.Sorted(maps.Keys(s.left)) {
		notes = append(notes, fmt.Sprintf("left out %d accounts %s", s.left[why], why))
	}
	return notes
}
