package plan

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// removal is what becomes of the account of an MFAUser that is deleted.
func (s *Service) removal(ctx context.Context, user *v1alpha1.MFAUser, i *Item) (Item, error) {
	switch {
	case rules.LetsGo(user), rules.Orphans(s.Connection):
		return i.nothing("deleted: the account stays as it is"), nil
	case user.Status.AccountID == "" && user.Status.Creating == nil:
		return i.nothing("deleted: it has no account"), nil
	}
	if message := rules.OrphanRefusal(s.Connection, user); message != "" {
		return i.refuse(v1alpha1.ReasonOrphanUnclear, message), nil
	}
	id := mfaclient.AccountID(user.Status.AccountID)
	if id == "" {
		open, exists := s.Accounts.ByLogin(user.Spec.Login)
		if !exists || !rules.MayBeMaking(user, s.Now) || !rules.MadeByUs(open) {
			return i.nothing("deleted: its account was not made"), nil
		}
		id = open.ID
	}
	switch held, err := s.StillHeld(user, id); {
	case err != nil:
		return *i, err
	case held:
		return i.nothing("deleted: another MFAUser holds the account too, which stays as it is"), nil
	}
	account, err := s.Remote.GetAccount(ctx, id)
	switch {
	case mfaclient.KindOf(err) == mfaclient.KindNotFound:
		return i.nothing("deleted: its account is gone"), nil
	case err != nil:
		return *i, err
	}
	if reason, message := rules.AcceptRefusal(s.Connection, user, account); reason != "" {
		return i.refuse(reason, message), nil
	}
	if message := s.protects(account); message != "" {
		return i.refuse(v1alpha1.ReasonProtectedAccount, message), nil
	}
	switch {
	case user.Spec.DeletionPolicy == v1alpha1.DeletionDelete:
		i.Action, i.Removes = Delete, true
		i.note("the account is deleted with all its devices")
	case account.Blocked:
		return i.nothing("deleted: the account is blocked already, and stays so"), nil
	default:
		i.Action, i.Removes = Block, true
		i.Changes = []Change{{"access", string(v1alpha1.AccessAllowed), string(v1alpha1.AccessBlocked)}}
	}
	return *i, nil
}

// Held says what the guard of the connection makes of the removals among the items; empty when they would all go. The others
// are the MFAUsers of the connection that the plan is not about: what they wait for counts too.
func (s *Service) Held(items []Item, others iter.Seq[*v1alpha1.MFAUser]) string {
	asked := rules.Accounts{}
	for n := range items {
		if item := &items[n]; item.Removes && item.Action != Refused {
			asked[cmp.Or(item.AccountID, item.Namespace+"/"+item.Name)] = struct{}{}
		}
	}
	if len(asked) == 0 {
		return ""
	}
	planned := len(asked)
	maps.Copy(asked, rules.AwaitingRemoval(s.Connection, others))
	guard := rules.GuardOf(s.Connection)
	opens, ever := guard.Opens(s.Connection.Status.Removals, asked, s.Now)
	if ever && !opens.After(s.Now) {
		return ""
	}
	return heldText(planned, len(asked)-planned, guard, s.Connection)
}

func heldText(planned, waiting int, guard rules.Guard, conn *v1alpha1.MFAConnection) string {
	others := ""
	if waiting > 0 {
		others = fmt.Sprintf(", beside those that wait for it already (%d)", waiting)
	}
	text := fmt.Sprintf("%d accounts would lose access or devices%s, and the changeGuard of %s/%s lets %d go within %s: they would be held until they are approved",
		planned, others, conn.Namespace, conn.Name, guard.Limit, guard.Window)
	if approval := conn.Status.Approval; approval != nil {
		text += fmt.Sprintf(" (%d are approved)", approval.Left)
	}
	return text
}
