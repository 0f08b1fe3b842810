package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// Of says what would become of one MFAUser. The steps are the operator's, in its order; each may end the plan.
func (s *Service) Of(ctx context.Context, user *v1alpha1.MFAUser) (Item, error) {
	user, i := user.DeepCopy(), newItem(user)
	if !user.DeletionTimestamp.IsZero() {
		return s.removal(ctx, user, i)
	}
	if user.Spec.Suspend {
		return i.nothing("suspended: nothing is done until spec.suspend is false"), nil
	}
	if refused, err := s.against(user, i); refused || err != nil {
		return *i, err
	}
	account, err := s.find(ctx, user, i)
	switch {
	case err != nil:
		return *i, err
	case i.Reason != "":
		return i.refuse(i.Reason, i.Message), nil
	case account == nil:
		return s.creation(ctx, user, i)
	}
	return s.account(ctx, user, *account, i)
}

// against stops at what the connection does not allow, and at another MFAUser that goes before.
func (s *Service) against(user *v1alpha1.MFAUser, i *Item) (refused bool, err error) {
	allowed, err := s.NamespaceAllowed(user.Namespace)
	switch {
	case err != nil:
		return false, err
	case !allowed:
		i.refuse(v1alpha1.ReasonNotAllowed, "the MFAConnection's allowedNamespaces does not admit this namespace; ask its owner")
		return true, nil
	}
	if message := rules.Violation(s.Connection, user); message != "" {
		i.refuse(v1alpha1.ReasonNotAllowed, message)
		return true, nil
	}
	competes, err := s.Competes(user)
	if competes {
		i.refuse(v1alpha1.ReasonDuplicateLogin, "another MFAUser owns this login in the same service; delete one of the two")
	}
	return competes, err
}

// creation is what becomes of a user without an account.
func (s *Service) creation(ctx context.Context, user *v1alpha1.MFAUser, i *Item) (Item, error) {
	switch {
	case user.Spec.ManagementPolicy == v1alpha1.ManagementObserve:
		return i.nothing("there is no account with this login, and managementPolicy Observe does not create one"), nil
	case !s.Connection.DeletionTimestamp.IsZero():
		return i.refuse(v1alpha1.ReasonConnectionDeleting, "the MFAConnection is being deleted; nothing new is made through it"), nil
	case !rules.MaySettle(s.Connection, user):
		return i.refuse(v1alpha1.ReasonNotAllowed, "the manifest states no role, so its account would stay a User, and the MFAConnection's policy.roles does not list that role"), nil
	}
	made := mfaclient.Account{Login: user.Spec.Login, Role: mfaclient.RoleUser, State: mfaclient.StatePendingActivation}
	i.Action = Create
	for _, change := range rules.Compare(user, made) {
		i.Changes = append(i.Changes, Change{change.Name, "", change.To})
	}
	if user.Spec.Code.WantedGeneration() > 0 {
		i.note("its enrolment code goes %s", delivery(user))
	} else {
		i.note("no code is handed out: spec.code.generation is 0")
	}
	return s.withGroups(ctx, user, nil, i)
}

// account is what becomes of a user with an account.
func (s *Service) account(ctx context.Context, user *v1alpha1.MFAUser, account mfaclient.Account, i *Item) (Item, error) {
	i.AccountID = string(account.ID)
	adopted := string(account.ID) != user.Status.AccountID && user.Status.Creating == nil
	if !account.Blocked || user.Spec.Access != nil {
		user.Status.BlockedByRemoval = false
	}
	observe := user.Spec.ManagementPolicy == v1alpha1.ManagementObserve
	diff := rules.Compare(user, account)
	if !observe {
		diff = s.writable(user, diff, i)
		if message := s.protects(account); message != "" && (diff.Blocks() || diff.Demotes(account)) {
			return i.refuse(v1alpha1.ReasonProtectedAccount, message), nil
		}
	}
	for _, change := range diff {
		i.Changes = append(i.Changes, Change{change.Name, change.From, change.To})
	}
	if len(diff) > 0 {
		i.Action = Update
	}
	if diff.Blocks() {
		i.Action, i.Removes = Block, true
	}
	if item, err := s.withGroups(ctx, user, &account, i); err != nil {
		return item, err
	}
	switch {
	case observe:
		i.observe()
	case i.Reason == "" && !adopted:
		s.codes(user, account, diff, i)
	}
	return *i, nil
}

// observe turns what would be written into what is reported.
func (i *Item) observe() {
	i.Removes = false
	if i.Action = Nothing; i.Reason != "" {
		i.Action = Refused
	}
	if len(i.Changes) > 0 {
		i.note("managementPolicy Observe: the differences are reported and not written")
	}
}

// writable leaves out the fields that the operator has given up writing.
func (s *Service) writable(user *v1alpha1.MFAUser, diff rules.Difference, i *Item) rules.Difference {
	asked := user.Annotations[v1alpha1.AnnotationReconcileRequestedAt] != user.Status.HandledReconcileRequest
	if asked || user.Status.ObservedGeneration != user.Generation {
		return diff
	}
	return slices.DeleteFunc(diff, func(c rules.Change) bool {
		givenUp := slices.ContainsFunc(user.Status.Corrections, func(f v1alpha1.FieldCorrection) bool { return f.Field == c.Name && f.Writes >= rules.MaxWrites })
		if givenUp {
			i.note("%s differs and is left alone: the service did not keep it three times", c.Name)
		}
		return givenUp
	})
}

// withGroups adds what becomes of the account's groups; there is no account yet when it is nil.
func (s *Service) withGroups(ctx context.Context, user *v1alpha1.MFAUser, account *mfaclient.Account, i *Item) (Item, error) {
	if user.Spec.Groups == nil {
		return *i, nil
	}
	ids, err := s.groupIDs(ctx)
	if err != nil {
		return *i, err
	}
	if missing := rules.MissingGroup(user, ids); missing != "" {
		// The fields come before the groups: they are written all the same.
		i.Reason, i.Message = v1alpha1.ReasonGroupNotFound, fmt.Sprintf("the group %q does not exist in the service; groups are made in the vendor's console", missing)
		if !i.Acts() {
			i.Action = Refused
		}
		return *i, nil
	}
	var current []mfaclient.Membership
	if account != nil {
		if current, err = s.Remote.ListAccountGroups(ctx, account.ID); err != nil {
			return *i, err
		}
	}
	if rules.CompareGroups(user, ids, current).Empty() {
		return *i, nil
	}
	i.Changes = append(i.Changes, Change{"groups", membershipText(current), groupText(user.Spec.Groups)})
	if i.Action == Nothing {
		i.Action = Update
	}
	return *i, nil
}

func membershipText(memberships []mfaclient.Membership) string {
	words := make([]string, 0, len(memberships))
	for _, m := range memberships {
		words = append(words, m.Group.Name+":"+rules.RoleText(m.Role))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func groupText(groups []v1alpha1.GroupMembership) string {
	words := make([]string, 0, len(groups))
	for _, g := range groups {
		words = append(words, g.Name+":"+string(g.Role))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}
