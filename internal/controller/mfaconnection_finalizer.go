package controller

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// A connection through which MFAUsers hold accounts stays until they have let go, and so does its token Secret: without
// the two nobody could take the accounts' access away. Both carry a finalizer then, put on by the pass that the first
// user's own finalizer wakes, and taken off by the first pass that finds no such user: at once when one of the two is
// being deleted, else within an interval.

// holdsOn tells whether a user holds an account, or may be making one, whose removal is this operator's to do. The finalizer
// alone does not tell: whoever writes a manifest can write that too, and name anybody's connection.
func holdsOn(user *v1alpha1.MFAUser) bool {
	return mayHold(user) && controllerutil.ContainsFinalizer(user, v1alpha1.Finalizer)
}

// mayHold tells whether a user holds an account or may be making one.
func mayHold(user *v1alpha1.MFAUser) bool {
	return user.Status.AccountID != "" || user.Status.Creating != nil
}

// letsAllGo tells whether a connection is being deleted together with the hold of its users, on purpose.
func letsAllGo(conn *v1alpha1.MFAConnection) bool {
	return !conn.DeletionTimestamp.IsZero() && rules.Orphans(conn)
}

// countUsers looks at the connection's users.
func (r *ConnectionReconciler) countUsers(s *connectionScope) {
	s.conn.beginCount(!s.object.DeletionTimestamp.IsZero() || s.token != nil && s.token.DeletionTimestamp != nil)
	s.use = usageOf(s.object, r.usersThrough(s.conn.key))
}

// tryToGo lets a deleted connection go when nobody holds on to it any more, and otherwise counts its users. The token
// Secret is let go first.
func (r *ConnectionReconciler) tryToGo(ctx context.Context, s *connectionScope) (gone bool, err error) {
	r.countUsers(s)
	if s.object.DeletionTimestamp.IsZero() || len(s.use.holders) > 0 {
		return false, nil
	}
	if err := r.releaseTokens(ctx, s.object.Namespace); err != nil {
		return false, err
	}
	if err := r.patchConnection(ctx, s, controllerutil.RemoveFinalizer); client.IgnoreNotFound(err) != nil {
		return false, err
	}
	return true, nil
}

// keep puts the finalizers on while the connection is in use, and takes them off when it is not. In a steady state it
// writes nothing.
func (r *ConnectionReconciler) keep(ctx context.Context, s *connectionScope) error {
	carries := controllerutil.ContainsFinalizer(s.object, v1alpha1.FinalizerInUse)
	if len(s.use.holders) > 0 {
		if !carries && s.object.DeletionTimestamp.IsZero() { // one that is being deleted takes no finalizer any more
			if err := r.patchConnection(ctx, s, controllerutil.AddFinalizer); err != nil {
				return err
			}
		}
		if err := r.keepToken(ctx, s); err != nil {
			return err
		}
		s.conn.markKept()
	}
	unused := carries && len(s.use.holders) == 0
	moved := s.base.Status.ObservedGeneration != s.base.Generation
	if unused || moved || s.token != nil && s.token.DeletionTimestamp != nil {
		s.conn.setTidy(false)
	}
	if !s.conn.isTidy() {
		if err := r.releaseTokens(ctx, s.object.Namespace); err != nil { // also of the one that tokenSecretRef named before
			return err
		}
		s.conn.setTidy(true)
	}
	if unused {
		return r.patchConnection(ctx, s, controllerutil.RemoveFinalizer)
	}
	return nil
}

// patchConnection writes the connection's finalizer, if that is a change, and makes it the base of the next write.
func (r *ConnectionReconciler) patchConnection(ctx context.Context, s *connectionScope, change func(client.Object, string) bool) error {
	patched := s.base.DeepCopy()
	if !change(patched, v1alpha1.FinalizerInUse) {
		return nil
	}
	lock := client.MergeFromWithOptions(s.base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, patched, lock); err != nil {
		return fmt.Errorf("write the connection's finalizer: %w", err)
	}
	status := s.object.Status
	s.base, s.object = patched, patched.DeepCopy()
	s.object.Status = status
	return nil
}

// describeDeletion says what a deleted connection waits for.
func (s *connectionScope) describeDeletion(set func(string, metav1.ConditionStatus, string, string)) {
	if s.object.DeletionTimestamp.IsZero() {
		meta.RemoveStatusCondition(&s.object.Status.Conditions, v1alpha1.ConditionDeleting)
		return
	}
	set(v1alpha1.ConditionDeleting, metav1.ConditionTrue, v1alpha1.ReasonInUse, fmt.Sprintf(
		"MFAUsers that still hold accounts through this connection: %d, in the namespaces: %s. Delete them, or let them all go and leave their accounts "+
			`as they are with the annotation trustbuilder-mfa.dev/orphan: "true" on this MFAConnection`, s.use.holders.total(), s.use.holders))
}
