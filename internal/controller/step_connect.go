package controller

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// connect finds the user's connection and stops the pass while it can't be used. A user without open work then keeps
// its conditions: that the connection is down is said once, on the connection.
func (r *UserReconciler) connect(ctx context.Context, s *scope) error {
	var object v1alpha1.MFAConnection
	key := s.user.ConnectionKey()
	err := r.readConnection(ctx, key, &object)
	switch {
	case err == nil && letsAllGo(&object):
		return r.letLoose(ctx, s) // a suspended one too
	case s.user.Spec.Suspend:
		return suspended()
	case errors.Is(err, errNotWatched):
		return stalled(v1alpha1.ReasonNamespaceNotWatched, s.withWayOut(messageNotWatched))
	case apierrors.IsNotFound(err):
		if !s.open {
			return quiet()
		}
		return waiting(v1alpha1.ReasonConnectionNotFound, missingConnection(key, s.deleting()))
	case err != nil:
		return err
	}
	s.connObject = &object
	s.conn = r.connections.get(key)
	view := s.conn.view()
	if !s.deleting() {
		if err := r.keepHold(ctx, s); err != nil {
			return err
		}
		// Before a word on the connection's state: that is for those who may use it.
		if err := r.checkNamespace(ctx, s, &object); err != nil {
			return err
		}
	}
	s.client, s.claims = view.client, view.claims
	switch {
	case view.readiness == readinessReady:
		if rest := s.conn.gate.PausedFor(); rest > 0 && s.open {
			if heldBack(s.user) {
				return &outcome{class: classQuiet, after: rest} // it is held all the same
			}
			return waitingFor(v1alpha1.ReasonRateLimited, messageSlowDown, rest) // before an intent is written in vain
		}
		return nil
	case view.readiness == readinessUnknown || !s.open || heldBack(s.user):
		return quiet() // woken by the connection
	}
	return waiting(v1alpha1.ReasonConnectionNotReady, s.withWayOut("the MFAConnection is not ready, see its conditions; the work goes on once it is"))
}

// keepHold puts the finalizer back on a user that holds an account and has lost it, through a connection that let all go or a
// restore. Whatever keeps the pass from writing to the account must not keep the account from being removed later.
func (r *UserReconciler) keepHold(ctx context.Context, s *scope) error {
	if !mayHold(s.user) || s.observeOnly() {
		return nil
	}
	return r.addFinalizer(ctx, s)
}

// withWayOut adds to a message what else can be done with a user that is being deleted.
func (s *scope) withWayOut(message string) string {
	if s.deleting() {
		return message + orphanHint
	}
	return message
}

const messageConnectionDeleting = "the MFAConnection is being deleted; nothing new is made through it"

// mayBegin refuses to make or take over an account through a connection that is going: it would never get there.
func mayBegin(s *scope) error {
	if s.connObject.DeletionTimestamp.IsZero() {
		return nil
	}
	return waiting(v1alpha1.ReasonConnectionDeleting, messageConnectionDeleting)
}

func missingConnection(key client.ObjectKey, deleting bool) string {
	missing := rules.MissingConnection(key.Namespace, key.Name)
	if deleting {
		return missing + "; create it, or let the account go as it is with the annotation trustbuilder-mfa.dev/orphan: \"true\""
	}
	return missing + rules.MissingConnectionHint
}

// checkNamespace stops the pass of a user whose namespace may not use the connection. Removal does not come this way.
func (r *UserReconciler) checkNamespace(ctx context.Context, s *scope, conn *v1alpha1.MFAConnection) error {
	allowed, err := r.namespaceAllowed(ctx, conn, s.user.Namespace)
	if err != nil || allowed {
		return err
	}
	// The code of one who was allowed before may have been used meanwhile; the picture tells without a call.
	if err := r.followCode(ctx, s); err != nil {
		return err
	}
	if r.selectorUnusable(conn) {
		return stalled(v1alpha1.ReasonSelectorUnusable, "the MFAConnection's "+messageSelectorUnusable)
	}
	return stalled(v1alpha1.ReasonNotAllowed, "the MFAConnection's allowedNamespaces does not admit this namespace; ask its owner")
}

// checkPolicy stops the pass when the connection's owner does not allow what the manifest asks. Nothing is changed then;
// removal of what is ours does not come this way.
func (r *UserReconciler) checkPolicy(_ context.Context, s *scope) error {
	if message := rules.Violation(s.connObject, s.user); message != "" {
		return stalled(v1alpha1.ReasonNotAllowed, message)
	}
	return nil
}
