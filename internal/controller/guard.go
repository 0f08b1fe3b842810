package controller

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// passGuard lets a removal pass, by the count or by an approval, which it uses up in the object, or says that it is held.
func (r *UserReconciler) passGuard(s *scope, conn *v1alpha1.MFAConnection, id mfaclient.AccountID, now time.Time) error {
	asked := awaitingRemoval(conn, r.usersThrough(s.conn.key))
	asked[string(id)] = struct{}{}
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

// awaitingRemoval returns the accounts whose access the manifests ask to take away now, as far as the cluster knows.
func awaitingRemoval(conn *v1alpha1.MFAConnection, users everyUser) rules.Accounts {
	waiting := rules.Accounts{}
	for user := range users {
		switch {
		case !awaitsRemoval(user):
		case !user.DeletionTimestamp.IsZero() && rules.Orphans(conn):
		case user.Status.AccountID != "":
			waiting[user.Status.AccountID] = struct{}{}
		default:
			waiting["of "+string(user.UID)] = struct{}{} // a creation that is still open
		}
	}
	return waiting
}

// awaitsRemoval tells whether a manifest asks to take an account's access away and nothing but the guard may stand
// against it. What is refused for another reason does not wait: it would use up the limit for ever.
func awaitsRemoval(user *v1alpha1.MFAUser) bool {
	spec, status := &user.Spec, &user.Status
	has := status.AccountID != "" || status.Creating != nil
	if !has || spec.Suspend || spec.ManagementPolicy == v1alpha1.ManagementObserve || refusedOtherwise(user) {
		return false
	}
	if !user.DeletionTimestamp.IsZero() {
		goes := spec.DeletionPolicy == v1alpha1.DeletionDelete || status.State != v1alpha1.StateBlocked
		return goes && !rules.LetsGo(user)
	}
	switch reason := readyOf(status.Conditions).Reason; {
	case status.AccountID == "":
		return false
	case reason == v1alpha1.ReasonRemovalHeld, reason == v1alpha1.ReasonAccountMissing:
		return true
	}
	if request := rules.StatedRequest(user); request != nil && request.Purpose == v1alpha1.PurposeRestore && rules.Fits(request.Purpose, status.State) {
		return true
	}
	blocked := status.State == v1alpha1.StateBlocked || status.State == "" || asStated(user)
	return spec.Access != nil && *spec.Access == v1alpha1.AccessBlocked && !blocked
}

// asStated tells whether the newest manifest has been carried out. The state does not tell of every blocked account that it
// is blocked: one that has expired says so instead.
func asStated(user *v1alpha1.MFAUser) bool {
	synced := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionAccountSynced)
	return synced != nil && synced.Status == metav1.ConditionTrue && synced.ObservedGeneration == user.Generation
}

// refusedOtherwise tells whether the newest manifest waits for somebody, and not for the guard.
func refusedOtherwise(user *v1alpha1.MFAUser) bool {
	ready := readyOf(user.Status.Conditions)
	return ready.ObservedGeneration == user.Generation && ready.Reason != v1alpha1.ReasonRemovalHeld &&
		meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled)
}

// heldBack tells whether a user says that the guard holds its removal.
func heldBack(user *v1alpha1.MFAUser) bool {
	return readyOf(user.Status.Conditions).Reason == v1alpha1.ReasonRemovalHeld
}
