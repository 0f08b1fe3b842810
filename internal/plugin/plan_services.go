package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/plan"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// services are the connections of a plan, each read once.
type services struct {
	*planner
	cluster client.Client
	// everyone are all MFAUsers, those of the plan as the plan has them; others are the rest.
	everyone, others []v1alpha1.MFAUser
	byKey            map[client.ObjectKey]*plan.Service
}

// report plans for each user, and asks each connection's guard.
func (s *services) report(ctx context.Context, users []v1alpha1.MFAUser) (*planReport, error) {
	slices.SortFunc(users, func(a, b v1alpha1.MFAUser) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	if s.remote.tokenFile != "" && several(users) {
		return nil, errors.New("--token-file holds the token of one connection, and the MFAUsers belong to several; plan for one at a time")
	}
	report, perService := &planReport{Items: []plan.Item{}}, map[*plan.Service][]plan.Item{}
	for n := range users {
		item, service, err := s.item(ctx, &users[n])
		if err != nil {
			return nil, err
		}
		report.Items = append(report.Items, item)
		if service != nil {
			perService[service] = append(perService[service], item)
		}
	}
	for service, items := range perService {
		if held := service.Held(items, s.othersThrough(service.Connection)); held != "" {
			report.Warnings = append(report.Warnings, held)
		}
	}
	slices.Sort(report.Warnings)
	return report, nil
}

func (s *services) item(ctx context.Context, user *v1alpha1.MFAUser) (plan.Item, *plan.Service, error) {
	service, err := s.get(ctx, user.ConnectionKey())
	if errors.Is(err, errNoConnection) {
		return plan.WithoutConnection(user), nil, nil
	}
	if err != nil {
		return plan.Item{}, nil, err
	}
	item, err := service.Of(ctx, user)
	if err != nil {
		return plan.Item{}, nil, remoteTrouble(service.Connection, err)
	}
	return item, service, nil
}

// several tells whether users have more than one connection between them.
func several(users []v1alpha1.MFAUser) bool {
	return slices.ContainsFunc(users, func(user v1alpha1.MFAUser) bool { return user.ConnectionKey() != users[0].ConnectionKey() })
}

// othersThrough goes through the MFAUsers of a connection that the plan is not about.
func (s *services) othersThrough(conn *v1alpha1.MFAConnection) iter.Seq[*v1alpha1.MFAUser] {
	return func(yield func(*v1alpha1.MFAUser) bool) {
		for n := range s.others {
			if user := &s.others[n]; user.ConnectionKey() == client.ObjectKeyFromObject(conn) && !yield(user) {
				return
			}
		}
	}
}

var errNoConnection = errors.New("the connection does not exist")

func (s *services) get(ctx context.Context, key client.ObjectKey) (*plan.Service, error) {
	if service, ok := s.byKey[key]; ok {
		return service, nil
	}
	var conn v1alpha1.MFAConnection
	if err := s.cluster.Get(ctx, key, &conn); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, errNoConnection
		}
		return nil, explain(err, "read the MFAConnection "+key.String(), "")
	}
	remote, err := s.open(ctx, s.cluster, &conn, s.remote)
	if err != nil {
		return nil, err
	}
	accounts, err := remote.list(ctx, s.session)
	if err != nil {
		return nil, err
	}
	service := &plan.Service{
		Connection: &conn, Accounts: accounts, Remote: remote.client, AdminLogin: remote.claims.AdminLogin, Now: s.Clock.Now(),
		NamespaceAllowed: func(namespace string) (bool, error) { return s.namespaceAllowed(ctx, &conn, namespace) },
		Competes:         func(user *v1alpha1.MFAUser) (bool, error) { return s.rivalled(ctx, &conn, accounts, user) },
		StillHeld: func(user *v1alpha1.MFAUser, id mfaclient.AccountID) (bool, error) {
			return s.stillHeld(ctx, &conn, user, id)
		},
	}
	s.byKey[key] = service
	return service, nil
}

func (s *services) namespaceAllowed(ctx context.Context, conn *v1alpha1.MFAConnection, namespace string) (bool, error) {
	allowed, err := rules.NamespaceAllowed(conn, namespace, labelsOf(ctx, s.cluster, namespace))
	if err != nil {
		return false, explain(err, fmt.Sprintf("read the labels of the namespace %s, which the MFAConnection selects by", namespace), "")
	}
	return allowed, nil
}

// rivalled tells whether another MFAUser owns the user's login in the same service, as the operator judges it.
func (s *services) rivalled(ctx context.Context, conn *v1alpha1.MFAConnection, accounts *inventory.Inventory, user *v1alpha1.MFAUser) (bool, error) {
	for n := range s.everyone {
		rival := &s.everyone[n]
		if inventory.LoginKey(rival.Spec.Login) != inventory.LoginKey(user.Spec.Login) || rival.UID == user.UID || !rules.Owns(rival, user) {
			continue
		}
		competes, err := s.competes(ctx, conn, accounts, rival)
		if competes || err != nil {
			return competes, err
		}
	}
	return false, nil
}

func (s *services) competes(ctx context.Context, conn *v1alpha1.MFAConnection, accounts *inventory.Inventory, rival *v1alpha1.MFAUser) (bool, error) {
	other, err := s.connectionOf(ctx, rival)
	if err != nil || other == nil {
		return false, err
	}
	account, exists := accounts.ByLogin(rival.Spec.Login)
	if !rules.SameService(conn, other) {
		return rules.HoldsShown(conn, other, rival, account), nil
	}
	if rival.Status.AccountID != "" || rules.MayBeMaking(rival, s.Clock.Now()) {
		return true, nil
	}
	allowed, err := s.namespaceAllowed(ctx, other, rival.Namespace)
	if err != nil {
		return false, err
	}
	return rules.MayCompete(other, rival, allowed, exists), nil
}

// stillHeld tells whether another MFAUser, which stays, holds the account of one that goes, as the operator judges it.
func (s *services) stillHeld(ctx context.Context, conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, id mfaclient.AccountID) (bool, error) {
	for n := range s.everyone {
		if !rules.StillHolds(&s.everyone[n], user, id) {
			continue
		}
		other, err := s.connectionOf(ctx, &s.everyone[n])
		if err != nil {
			return false, err
		}
		if other != nil && rules.MayBeSameService(conn, other) {
			return true, nil
		}
	}
	return false, nil
}

// connectionOf returns the connection of a rival; none where there is none.
func (s *services) connectionOf(ctx context.Context, rival *v1alpha1.MFAUser) (*v1alpha1.MFAConnection, error) {
	var conn v1alpha1.MFAConnection
	if err := s.cluster.Get(ctx, rival.ConnectionKey(), &conn); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return &conn, nil
}
