package controller

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// checkRivals stops the pass when another MFAUser owns the same login of the same service.
func (r *UserReconciler) checkRivals(ctx context.Context, s *scope) error {
	rivals, err := r.usersBy(ctx, indexLogin, inventory.LoginKey(s.user.Spec.Login))
	if err != nil {
		return err
	}
	for n := range rivals {
		rival := &rivals[n]
		if rival.UID == s.user.UID || !rules.Owns(rival, s.user) {
			continue
		}
		competes, err := r.competes(ctx, s, rival)
		if err != nil {
			return err
		}
		if competes {
			return stalledFor(v1alpha1.ReasonDuplicateLogin, rules.Rivalled(s.user, rival), interval(s.connObject))
		}
	}
	return nil
}

// competes tells whether a rival is after the same account: in the same service, and holding it or allowed to. Without
// the latter anybody could keep a login from its owner by naming it first.
func (r *UserReconciler) competes(ctx context.Context, s *scope, rival *v1alpha1.MFAUser) (bool, error) {
	other, err := r.connectionOf(ctx, rival)
	if err != nil || other == nil {
		return false, err
	}
	account, exists := s.conn.inventory.ByLogin(rival.Spec.Login)
	if !rules.SameService(s.connObject, other) {
		return rules.HoldsShown(s.connObject, other, rival, account), nil
	}
	if rival.Status.AccountID != "" || rules.MayBeMaking(rival, s.now) {
		return true, nil
	}
	allowed, err := r.namespaceAllowed(ctx, other, rival.Namespace)
	if err != nil {
		return false, err
	}
	return rules.MayCompete(other, rival, allowed, exists), nil
}

// stillHeld tells whether another MFAUser, which stays, holds the account of one that goes. Two come to hold one account where
// nothing said in time that their connections lead to one service.
func (r *UserReconciler) stillHeld(ctx context.Context, s *scope, id mfaclient.AccountID) (bool, error) {
	rivals, err := r.usersBy(ctx, indexLogin, inventory.LoginKey(s.user.Spec.Login))
	if err != nil {
		return false, err
	}
	for n := range rivals {
		if !rules.StillHolds(&rivals[n], s.user, id) {
			continue
		}
		other, err := r.connectionOf(ctx, &rivals[n])
		if err != nil {
			return false, err
		}
		if other != nil && rules.MayBeSameService(s.connObject, other) {
			return true, nil
		}
	}
	return false, nil
}

// connectionOf returns the connection of a rival; none where there is none to be seen.
func (r *UserReconciler) connectionOf(ctx context.Context, rival *v1alpha1.MFAUser) (*v1alpha1.MFAConnection, error) {
	var conn v1alpha1.MFAConnection
	err := r.readConnection(ctx, rival.ConnectionKey(), &conn)
	if apierrors.IsNotFound(err) || errors.Is(err, errNotWatched) {
		return nil, nil
	}
	return &conn, err
}

// wakeRivals wakes the MFAUsers that wait for the same login.
func (r *UserReconciler) wakeRivals(ctx context.Context, user *v1alpha1.MFAUser) {
	rivals, err := r.usersBy(ctx, indexLogin, inventory.LoginKey(user.Spec.Login))
	if err != nil {
		return // a cache that is not there has nobody waiting
	}
	for n := range rivals {
		if rivals[n].UID != user.UID {
			r.users.add(client.ObjectKeyFromObject(&rivals[n]))
		}
	}
}
