package controller

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/pattern"
)

// namespaceAllowed tells whether a connection may be used from a namespace.
func (w *world) namespaceAllowed(ctx context.Context, conn *v1alpha1.MFAConnection, namespace string) (bool, error) {
	allowed := conn.Spec.AllowedNamespaces
	switch allowed.From {
	case v1alpha1.FromAll:
		return true, nil
	case v1alpha1.FromSelector:
		selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
		if err != nil {
			return false, nil // a selector that can't be read admits nobody
		}
		known, err := w.namespaceLabels(ctx, selector, namespace)
		return known != nil && selector.Matches(known), err
	}
	return namespace == conn.Namespace, nil
}

// namespaceLabels are the labels of a namespace as far as a selector asks for them; nil when they can't be known. The one
// that holds the name is on every namespace, by the API server's own hand: a selector over names needs no read.
func (w *world) namespaceLabels(ctx context.Context, selector labels.Selector, namespace string) (labels.Set, error) {
	if w.watchesAll() {
		object := metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
		if err := w.client.Get(ctx, client.ObjectKey{Name: namespace}, &object); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		return object.Labels, nil
	}
	if !selectsByName(selector) {
		return nil, nil
	}
	return labels.Set{corev1.LabelMetadataName: namespace}, nil
}

// selectsByName tells whether a selector looks at nothing but the names of namespaces.
func selectsByName(selector labels.Selector) bool {
	requirements, selectable := selector.Requirements()
	return selectable && !slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return r.Key() != corev1.LabelMetadataName })
}

// selectorUnusable tells whether a connection asks for labels that this operator may not read. A selector that can't be
// read itself is another fault.
func (w *world) selectorUnusable(conn *v1alpha1.MFAConnection) bool {
	allowed := conn.Spec.AllowedNamespaces
	if w.watchesAll() || allowed.From != v1alpha1.FromSelector {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	return err == nil && !selectsByName(selector)
}

// violation says what a manifest asks for that the connection's policy does not allow; empty when it allows all of it.
func violation(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser) string {
	policy := conn.Spec.Policy
	if !loginAllowed(conn, user.Spec.Login) {
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

func loginAllowed(conn *v1alpha1.MFAConnection, login string) bool {
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

// maySettle tells whether an account that is made for this manifest ends with a role that the policy lists. Every account
// starts as a User.
func maySettle(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser) bool {
	return user.Spec.Role != nil || roleStated(conn.Spec.Policy, v1alpha1.RoleUser)
}

// roleAllowed tells whether an account with this remote role may be touched. Custom and unknown roles never are.
func roleAllowed(conn *v1alpha1.MFAConnection, remote mfaclient.Role) bool {
	role, known := roleFromRemote(remote)
	return known && roleStated(conn.Spec.Policy, role)
}

var remoteRoles = map[v1alpha1.Role]mfaclient.Role{
	v1alpha1.RoleUser:          mfaclient.RoleUser,
	v1alpha1.RoleManager:       mfaclient.RoleManager,
	v1alpha1.RoleAdministrator: mfaclient.RoleAdministrator,
}

func roleFromRemote(remote mfaclient.Role) (v1alpha1.Role, bool) {
	for role, name := range remoteRoles {
		if name == remote {
			return role, true
		}
	}
	return "", false
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
