package rules

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// RemovalsLife is how long the record of a removal proves an account ours.
const RemovalsLife = 30 * 24 * time.Hour

// Unfinished tells whether an account has yet to get the role that its manifest states: it starts as a User, also where
// policy.roles lists only more powerful ones. Nobody has used it, and it has no power.
func Unfinished(user *v1alpha1.MFAUser, account mfaclient.Account) bool {
	return user.Spec.Role != nil && *user.Spec.Role != v1alpha1.RoleUser && MadeByUs(account)
}

// MadeByUs tells whether an account looks like the outcome of a creation whose answer was lost. The intent to create it
// was recorded while a complete listing lacked the login; anything that somebody has used or been given power with since is not ours.
func MadeByUs(account mfaclient.Account) bool {
	fresh := account.State == mfaclient.StatePendingActivation || account.State == mfaclient.StateExpired
	return fresh && account.LastAuthenticated.IsZero() && account.Role == mfaclient.RoleUser
}

// IntentLife is how long after its call a creation without an answer proves an account ours. It spans a long outage of the
// service, and not the time in which a login is given to somebody else.
const IntentLife = 24 * time.Hour

// MayBeMaking tells whether a creation of this user is without an answer, and recent enough to prove anything.
func MayBeMaking(user *v1alpha1.MFAUser, now time.Time) bool {
	return user.Status.Creating != nil && now.Sub(user.Status.Creating.At.Time) <= IntentLife
}

// ReleasedRemoval returns the removal that let this very manifest go from this very account, if none shows that another
// manifest has had the account since. It proves the account ours, for 30 days: entries are dropped only when another comes.
func ReleasedRemoval(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, account mfaclient.Account, now time.Time) *v1alpha1.Removal {
	for n := len(conn.Status.Removals) - 1; n >= 0; n-- {
		removal := &conn.Status.Removals[n]
		switch {
		case removal.AccountID != string(account.ID):
		case !IsOf(removal, user), now.Sub(removal.Time.Time) >= RemovalsLife:
			return nil
		case removal.Released:
			return removal
		}
	}
	return nil
}

// IsOf tells whether a removal was of the account of this very manifest.
func IsOf(removal *v1alpha1.Removal, user *v1alpha1.MFAUser) bool {
	return removal.Namespace == user.Namespace && removal.Name == user.Name &&
		inventory.LoginKey(removal.Login) == inventory.LoginKey(user.Spec.Login)
}

// LetsGo tells whether a manifest leaves the account as it is when it is deleted.
func LetsGo(user *v1alpha1.MFAUser) bool {
	spec := &user.Spec
	return spec.DeletionPolicy == v1alpha1.DeletionRetain || spec.ManagementPolicy == v1alpha1.ManagementObserve || spec.Suspend ||
		Orphans(user)
}

// Orphans tells whether the annotation by hand lets accounts go as they are.
func Orphans(object metav1.Object) bool {
	return object.GetAnnotations()[v1alpha1.AnnotationOrphan] == v1alpha1.LabelTrue
}

// OrphanRefusal says why the removal of a deleted MFAUser waits for somebody: its annotation, or its connection's, is neither
// true nor false. Whoever wrote it most likely wanted to keep the account. Empty when it is clear.
func OrphanRefusal(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser) string {
	const unclear = `annotation trustbuilder-mfa.dev/orphan is neither "true" nor "false", so no account is let go or removed by it; ` +
		`write "true" to leave the account as it is, or remove the annotation`
	switch {
	case !orphanClear(user):
		return "this MFAUser's " + unclear
	case !orphanClear(conn):
		return "the MFAConnection's " + unclear
	}
	return ""
}

func orphanClear(object metav1.Object) bool {
	value := object.GetAnnotations()[v1alpha1.AnnotationOrphan]
	return value == "" || value == "false" || Orphans(object)
}

// AdoptionRefusal says why a user may not take over an existing account with its login: reason and message, empty when it may.
func AdoptionRefusal(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, account mfaclient.Account) (reason, message string) {
	if !RoleAllowed(conn, account.Role) {
		return v1alpha1.ReasonPrivilegedAccount, "the login belongs to an account whose role is not listed in the MFAConnection's policy.roles; it is not touched"
	}
	asked := user.Spec.AdoptionPolicy == v1alpha1.AdoptionIfExists
	switch allowed := conn.Spec.Policy.Adoption; {
	case allowed == v1alpha1.ConnectionAdoptionAlways, allowed == v1alpha1.ConnectionAdoptionAllow && asked:
		return "", ""
	case asked:
		return v1alpha1.ReasonAccountConflict,
			"the login belongs to an account that this operator did not create, and the MFAConnection's policy.adoption does not allow to adopt it; ask its owner"
	}
	return v1alpha1.ReasonAccountConflict,
		"the login belongs to an account that this operator did not create; set spec.adoptionPolicy: IfExists to adopt it, where the MFAConnection allows that"
}

// AcceptRefusal says why an account may not be written as this user's: reason and message, empty when it may.
func AcceptRefusal(conn *v1alpha1.MFAConnection, user *v1alpha1.MFAUser, account mfaclient.Account) (reason, message string) {
	switch {
	case inventory.LoginKey(account.Login) != inventory.LoginKey(user.Spec.Login):
		return v1alpha1.ReasonIdentityMismatch,
			"the account with the recorded id has another login now; nothing is written. Rename it back in the service, or delete this MFAUser with the annotation trustbuilder-mfa.dev/orphan: \"true\" and create it anew"
	case !RoleAllowed(conn, account.Role) && !Unfinished(user, account):
		return v1alpha1.ReasonPrivilegedAccount, "the account's role in the service is not listed in the MFAConnection's policy.roles; it is not touched"
	}
	return "", ""
}

// Protection says why an account must keep its power and access: without it nobody could administer the service. Empty when
// it need not. adminLogin is the token's own account, administrators counts those left to use that role.
func Protection(adminLogin string, account mfaclient.Account, administrators func() int) string {
	switch {
	case adminLogin != "" && strings.EqualFold(account.Login, adminLogin):
		return "this is the account of the API token itself; it is never blocked, demoted or deleted"
	case account.Role != mfaclient.RoleUser && adminLogin == "":
		return "with an opaque token the token's own account is not known, so no privileged account is blocked, demoted or deleted"
	case account.Role == mfaclient.RoleAdministrator && !account.Blocked && administrators() <= 1:
		return "this is the last administrator of the service; it is never blocked, demoted or deleted"
	}
	return ""
}
