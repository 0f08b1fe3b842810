package rules

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/pattern"
)

// NamespaceAllowed tells whether a connection may be used from a namespace. Its labels are asked for only where they count;
// nil labels can't be known, and admit nobody.
func NamespaceAllowed(conn *v1alpha1.MFAConnection, namespace string, labelsFor func(labels.Selector) (labels.Set, error)) (bool, error) {
	allowed := conn.Spec.AllowedNamespaces
	switch allowed.From {
	case v1alpha1.FromAll:
		return true, nil
	case v1alpha1.FromSelector:
		selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
		if err != nil {
			return false, nil //nolint:nilerr // a selector that can't be read admits nobody
		}
		known, err := labelsFor(selector)
		return known != nil && selector.Matches(known), err
	}
	return namespace == conn.Namespace, nil
}

// Violation says what a manifest asks for that the connection's policy does not allow; empty when it allows all of it.
func Violation(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser) string {
	policy := conn.Spec.Policy
	if !LoginAllowed(conn, user.Spec.Login) {
		return "the login matches none of the MFAConnection's policy.loginPatterns; ask its owner"
	}
	if role := user.Spec.Role; role != nil && !roleStated(policy, *role) {
		return fmt.Sprintf("the MFAConnection's policy.roles does not list the role %s; ask its owner", *role)
	}
	for _, group := range user.Spec.Groups {
		if !pattern.MatchAny(policy.Groups, group.Name) {
			return fmt.Sprintf("the group %q matches none of the MFAConnection's policy.groups; ask its owner", group.Name)
		}
		if !roleStated(policy, group.Role) {
			return fmt.Sprintf("the MFAConnection's policy.roles does not list the role %s, asked for in the group %q; ask its owner", group.Role, group.Name)
		}
	}
	return ""
}

// LoginAllowed tells whether users of a connection may have this login.
func LoginAllowed(conn *v1alpha1.MFAConnection, login string) bool {
	patterns := conn.Spec.Policy.LoginPatterns
	if len(patterns) == 0 {
		return conn.Spec.AllowedNamespaces.From == v1alpha1.FromSame || conn.Spec.AllowedNamespaces.From == ""
	}
	return pattern.MatchAny(patterns, login)
}

func roleStated(policy v1alpha1.ConnectionPolicy, role v1alpha1.Role) bool {
	if len(policy.Roles) == 0 {
		return role == v1alpha1.RoleUser
	}
	return slices.Contains(policy.Roles, role)
}

// MaySettle tells whether an account that is made for this manifest ends with a role that the policy lists. Every account
// starts as a User.
func MaySettle(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser) bool {
	return user.Spec.Role != nil || roleStated(conn.Spec.Policy, v1alpha1.RoleUser)
}

// RoleAllowed tells whether an account with this remote role may be touched. Custom and unknown roles never are.
func RoleAllowed(conn *v1alpha1.MFAConnection, remote mfaclient.Role) bool {
	role, known := RoleOf(remote)
	return known && roleStated(conn.Spec.Policy, role)
}
