package rules

import (
	"iter"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// AwaitingRemoval returns the accounts whose access the manifests ask to take away now, as far as the cluster knows.
func AwaitingRemoval(conn *v1alpha1.MFAConnection, users iter.Seq[*v1alpha1.MFAUser]) Accounts {
	waiting := Accounts{}
	for user := range users {
		switch {
		case !AwaitsRemoval(user):
		case !user.DeletionTimestamp.IsZero() && Orphans(conn):
		case user.Status.AccountID != "":
			waiting[user.Status.AccountID] = struct{}{}
		default:
			waiting[openCreation(user)] = struct{}{}
		}
	}
	return waiting
}

// Add puts in the account that an MFAUser is about to take the access from. It may have been in by its creation alone.
func (a Accounts) Add(user *v1alpha1.MFAUser, id mfaclient.AccountID) {
	delete(a, openCreation(user))
	a[string(id)] = struct{}{}
}

// openCreation stands for the account that a creation without an answer may have made.
func openCreation(user *v1alpha1.MFAUser) string { return "of " + string(user.UID) }

// AwaitsRemoval tells whether a manifest asks to take an account's access away and nothing but the guard may stand
// against it. What is refused for another reason does not wait: it would use up the limit for ever.
func AwaitsRemoval(user *v1alpha1.MFAUser) bool {
	spec, status := &user.Spec, &user.Status
	has := status.AccountID != "" || status.Creating != nil
	if !has || spec.Suspend || spec.ManagementPolicy == v1alpha1.ManagementObserve || refusedOtherwise(user) {
		return false
	}
	if !user.DeletionTimestamp.IsZero() {
		goes := spec.DeletionPolicy == v1alpha1.DeletionDelete || status.State != v1alpha1.StateBlocked
		return goes && !LetsGo(user)
	}
	switch ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); {
	case status.AccountID == "":
		return false
	case ready != nil && (ready.Reason == v1alpha1.ReasonRemovalHeld || ready.Reason == v1alpha1.ReasonAccountMissing):
		return true
	}
	if request := StatedRequest(user); request != nil && request.Purpose == v1alpha1.PurposeRestore && Fits(request.Purpose, status.State) {
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
	ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == user.Generation && ready.Reason != v1alpha1.ReasonRemovalHeld &&
		meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled)
}
