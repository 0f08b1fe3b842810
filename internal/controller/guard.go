package controller

import (
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// passGuard lets a removal pass, by the count or by an approval, which it uses up in the object, or says that it is held.
func (r *UserReconciler) passGuard(s *scope, conn *v1alpha1.MFAConnection, id mfaclient.AccountID, now time.Time) error {
	asked := rules.AwaitingRemoval(conn, r.usersThrough(s.conn.key))
	asked.Add(s.user, id)
	opens, ever := rules.GuardOf(conn).Opens(conn.Status.Removals, asked, now)
	if ever && !opens.After(now) || useApproval(conn, now) {
		return nil
	}
	message := messageHeld + ", or undo the change"
	if s.deleting() {
		message = messageHeld + orphanHint
	}
	if !ever {
		return stalled(v1alpha1.ReasonRemovalHeld, message)
	}
	return stalledFor(v1alpha1.ReasonRemovalHeld, message, opens.Sub(now))
}

const messageHeld = "the MFAConnection's changeGuard holds this removal: more accounts are to lose their access than it allows within its window. " +
	"Ask the connection's owner to approve removals with the annotation trustbuilder-mfa.dev/approve-removals: <n>/<token>, or to raise changeGuard.maxRemovals"

// heldBack tells whether a user says that the guard holds its removal.
func heldBack(user *v1alpha1.MFAUser) bool {
	return readyOf(user.Status.Conditions).Reason == v1alpha1.ReasonRemovalHeld
}
