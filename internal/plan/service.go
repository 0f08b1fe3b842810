package plan

import (
	"context"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// reader is what a plan asks the service beside its listing.
type reader interface {
	GetAccount(ctx context.Context, id mfaclient.AccountID) (mfaclient.Account, error)
	ListGroups(ctx context.Context) ([]mfaclient.Group, error)
	ListAccountGroups(ctx context.Context, id mfaclient.AccountID) ([]mfaclient.Membership, error)
}

// Service is a connection and what is known of its accounts.
type Service struct {
	Connection *v1alpha1.MFAConnection
	Accounts   *inventory.Inventory
	Remote     reader
	// AdminLogin is the account that the token acts as; empty with an opaque token.
	AdminLogin string
	Now        time.Time
	// NamespaceAllowed tells whether the connection may be used from a namespace.
	NamespaceAllowed func(namespace string) (bool, error)
	// Competes tells whether another MFAUser comes before this one to the same login.
	Competes func(user *v1alpha1.MFAUser) (bool, error)
	// StillHeld tells whether another MFAUser, which stays, holds the account of this one, which goes.
	StillHeld func(user *v1alpha1.MFAUser, id mfaclient.AccountID) (bool, error)

	groups map[string]mfaclient.GroupID
}

// find returns the account that is, or may become, the user's; none when there is none yet. A refusal is written into the item.
func (s *Service) find(ctx context.Context, user *v1alpha1.MFAUser, i *Item) (*mfaclient.Account, error) {
	if id := mfaclient.AccountID(user.Status.AccountID); id != "" {
		account, known := s.Accounts.ByID(id)
		if !known {
			var err error
			if account, err = s.Remote.GetAccount(ctx, id); mfaclient.KindOf(err) == mfaclient.KindNotFound {
				return s.lost(user, i), nil
			} else if err != nil {
				return nil, err
			}
		}
		i.Reason, i.Message = rules.AcceptRefusal(s.Connection, user, account)
		return &account, nil
	}
	account, exists := s.Accounts.ByLogin(user.Spec.Login)
	if !exists {
		return nil, nil
	}
	return s.claim(user, account, i), nil
}

// lost deals with an account that is gone: another is made, without its devices, unless somebody has the login by now.
func (s *Service) lost(user *v1alpha1.MFAUser, i *Item) *mfaclient.Account {
	if account, taken := s.Accounts.ByLogin(user.Spec.Login); taken {
		return s.claim(user, account, i)
	}
	i.AccountID = ""
	if user.Spec.ManagementPolicy != v1alpha1.ManagementObserve {
		i.Removes = true
		i.note("the account %s is gone from the service; after a grace time it is made again, without its devices", user.Status.AccountID)
	}
	return nil
}

// claim takes up an account that is not on record, as the operator's claim does.
func (s *Service) claim(user *v1alpha1.MFAUser, account mfaclient.Account, i *Item) *mfaclient.Account {
	switch removal := rules.ReleasedRemoval(s.Connection, user, account, s.Now); {
	case rules.MayBeMaking(user, s.Now) && rules.MadeByUs(account):
		i.note("takes up the account whose creation was not answered, and asks for its code anew")
	case removal != nil:
		user.Status.BlockedByRemoval = removal.Action == v1alpha1.RemovalBlock && account.Blocked
		i.note("takes up the account that an earlier removal of this MFAUser had left")
	default:
		if i.Reason, i.Message = rules.AdoptionRefusal(s.Connection, user, account); i.Reason != "" {
			return &account
		}
		i.note("takes over the existing account %s; no code is issued", account.ID)
	}
	i.AccountID = string(account.ID)
	i.Reason, i.Message = rules.AcceptRefusal(s.Connection, user, account)
	return &account
}

// protects says why an account may not lose power or access.
func (s *Service) protects(account mfaclient.Account) string {
	return rules.Protection(s.AdminLogin, account, func() int { return s.Accounts.CountRole(mfaclient.RoleAdministrator) })
}

// groupIDs are the service's groups by name, read once.
func (s *Service) groupIDs(ctx context.Context) (map[string]mfaclient.GroupID, error) {
	if s.groups != nil {
		return s.groups, nil
	}
	groups, err := s.Remote.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	s.groups = make(map[string]mfaclient.GroupID, len(groups))
	for _, group := range groups {
		s.groups[group.Name] = group.ID
	}
	return s.groups, nil
}
