package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// MFAConnectionStatus is what the operator found.
type MFAConnectionStatus struct {
	// ObservedGeneration is the metadata.generation that this status speaks of; -1 until the operator has looked at the object,
	// so that nobody who waits for it takes it for done.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// ServiceID is the service that the token acts for, from its claim sub. Once set it does not change: a token for
	// another service is refused (ServiceChanged). Empty with an opaque token.
	// +optional
	ServiceID string `json:"serviceID,omitempty"`
	// TokenSubject is the token's claim sub, <serviceId>/<administrator login>. Empty with an opaque token.
	// +optional
	TokenSubject string `json:"tokenSubject,omitempty"`
	// TokenExpiresAt is the token's claim exp. Empty when the token does not say.
	// +optional
	TokenExpiresAt *metav1.Time `json:"tokenExpiresAt,omitempty"`
	// Accounts counts the accounts of the service. Written at most once a minute, on change.
	// +optional
	Accounts *AccountCounts `json:"accounts,omitempty"`
	// Removals of the last 30 days, the newest last, at most 1,000 and 512 KiB. Each is written before its call: it is
	// what changeGuard counts, and it lets a manifest that was removed by accident have its account back. When there is
	// no room, the namespace that takes the most loses its oldest; none within changeGuard's window is ever dropped.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Removals []Removal `json:"removals,omitempty"`
	// HandledReconcileRequest is the last value of the reconcile-requested-at annotation that was acted on.
	// +optional
	HandledReconcileRequest string `json:"handledReconcileRequest,omitempty"`
	// Approval is what is left of the newest approval of held removals. Gone when it is used up or has lapsed.
	// +optional
	Approval *RemovalApproval `json:"approval,omitempty"`
	// HandledApproveRemovals is the last value of the approve-removals annotation that was looked at; a long one is cut.
	// +optional
	HandledApproveRemovals string `json:"handledApproveRemovals,omitempty"`
	// HandledApprovalTokens are the tokens of approvals that were acted on, the newest last, at most 100. Each acts once.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	HandledApprovalTokens []string `json:"handledApprovalTokens,omitempty"`
	// Conditions: Ready, TokenValid, and TokenExpiring, ListingStale, ChangesHeld and Deleting while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// AccountCounts counts the accounts of a service.
type AccountCounts struct {
	// Total is the number of accounts in the service.
	Total int32 `json:"total"`
	// Managed is the number of accounts that an MFAUser holds.
	Managed int32 `json:"managed"`
	// ByState is the number of accounts in each state that occurs.
	// +optional
	ByState map[AccountState]int32 `json:"byState,omitempty"`
}

// RemovalApproval lets removals go that changeGuard holds.
type RemovalApproval struct {
	// Left is how many may still go.
	Left int32 `json:"left"`
	// ExpiresAt is when it lapses: one window of changeGuard after it was given, or before, once nothing waits any more.
	ExpiresAt metav1.Time `json:"expiresAt"`
}

// RemovalAction is what was done to an account.
type RemovalAction string

// The actions that count as removals.
const (
	// RemovalBlock: the account was blocked.
	RemovalBlock RemovalAction = "Block"
	// RemovalDelete: the account was deleted.
	RemovalDelete RemovalAction = "Delete"
	// RemovalRecreate: the account was gone and was made again, without its devices.
	RemovalRecreate RemovalAction = "Recreate"
	// RemovalRestore: a Restore code was issued, whose use deletes all other devices.
	RemovalRestore RemovalAction = "Restore"
	// RemovalKeep: the account was blocked already and was left so. It counts for nothing but the way back.
	RemovalKeep RemovalAction = "Keep"
)

// Removal is one access taken away from an account.
type Removal struct {
	// AccountID of the account.
	AccountID string `json:"accountID"`
	// Namespace of the MFAUser.
	Namespace string `json:"namespace"`
	// Name of the MFAUser.
	Name string `json:"name"`
	// UID of the MFAUser. A manifest that comes back is another object, and its removal another one.
	// +optional
	UID types.UID `json:"uid,omitempty"`
	// Login of the account.
	Login string `json:"login"`
	// Action that was taken.
	Action RemovalAction `json:"action"`
	// Time just before the call.
	Time metav1.Time `json:"time"`
	// Released is true when the MFAUser was deleted with this removal: a manifest with the same namespace, name and login
	// gets its account back, if nobody else has had it since. That uses it up, and makes it false again.
	// +optional
	Released bool `json:"released,omitempty"`
}
