package rules

import (
	"fmt"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Owns tells whether a goes before b: who holds the account, else who may just be making it, else the older one, else
// the lower UID.
func Owns(a, b *v1alpha1.MFAUser) bool {
	switch {
	case (a.Status.AccountID != "") != (b.Status.AccountID != ""):
		return a.Status.AccountID != ""
	case (a.Status.Creating != nil) != (b.Status.Creating != nil):
		// Else the older one would run into the newer one's account, and each would wait for the other.
		return a.Status.Creating != nil
	case !a.CreationTimestamp.Equal(&b.CreationTimestamp):
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.UID < b.UID
}

// SameService tells whether two connections are known to lead to one service. A connection that never worked, or whose
// token does not say, keeps nobody from a login: the listing and the service's own refusal tell then.
func SameService(a, b *v1alpha1.MFAConnection) bool {
	if a.UID == b.UID {
		return true
	}
	if !mfaclient.SameEndpoint(a.Spec.URL, b.Spec.URL) {
		return false // also where both name one service id: a connection's owner could make a token that claims any
	}
	return a.Status.ServiceID != "" && a.Status.ServiceID == b.Status.ServiceID
}

// MayBeSameService tells whether nothing says that two connections lead to different services: the endpoint is the same, and of
// one of them at least it is not known which service its token is for.
func MayBeSameService(a, b *v1alpha1.MFAConnection) bool {
	unknown := a.Status.ServiceID == "" || b.Status.ServiceID == ""
	return SameService(a, b) || unknown && mfaclient.SameEndpoint(a.Spec.URL, b.Spec.URL)
}

// StillHolds tells whether another MFAUser, which stays, holds the account of one that goes, if their connections lead to one
// service. One that only observes does not count: it would never take the access away.
func StillHolds(other, user *v1alpha1.MFAUser, id mfaclient.AccountID) bool {
	return other.UID != user.UID && other.DeletionTimestamp.IsZero() && other.Spec.ManagementPolicy != v1alpha1.ManagementObserve &&
		other.Status.AccountID == string(id) && inventory.LoginKey(other.Spec.Login) == inventory.LoginKey(user.Spec.Login)
}

// HoldsShown tells whether a rival holds the very account that a connection shows under the login of both, by a connection that
// may lead to the same service: then it does, though no token says so.
func HoldsShown(conn, other *v1alpha1.MFAConnection, rival *v1alpha1.MFAUser, shown mfaclient.Account) bool {
	return shown.ID != "" && rival.Status.AccountID == string(shown.ID) && MayBeSameService(conn, other)
}

// MissingConnection says that a connection does not exist, and where it was looked for.
func MissingConnection(namespace, name string) string {
	return fmt.Sprintf("there is no MFAConnection %s in the namespace %s", name, namespace)
}

// MissingConnectionHint is what to do about it.
const MissingConnectionHint = "; the work begins once there is one. Should spec.connectionRef be wrong, delete this MFAUser and make one with the right name and namespace there"

// Rivalled says that an MFAUser without a right to its login is beside another, which is named where both are of one namespace.
func Rivalled(user, owner *v1alpha1.MFAUser) string {
	name := "another MFAUser"
	if owner.Namespace == user.Namespace {
		name = "the MFAUser " + owner.Name
	}
	return name + " owns this login in the same service; delete one of the two"
}

// MayCompete tells whether an MFAUser without an account may come to one with its login: take it up where it exists, or make it.
// Without this anybody could keep a login from its owner by naming it first.
func MayCompete(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, namespaceAllowed, exists bool) bool {
	return namespaceAllowed && Violation(conn, user) == "" && (exists || MaySettle(conn, user))
}
