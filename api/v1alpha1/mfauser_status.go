package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountState is the state of the remote account.
type AccountState string

// The states of an account.
const (
	// StatePendingActivation: created, no device yet.
	StatePendingActivation AccountState = "PendingActivation"
	// StateActivated: at least one device has been enrolled.
	StateActivated AccountState = "Activated"
	// StateExpired: the enrolment code was not used in time.
	StateExpired AccountState = "Expired"
	// StateBlocked: blocked by an administrator or by access: Blocked.
	StateBlocked AccountState = "Blocked"
	// StatePinBlocked: too many wrong PINs.
	StatePinBlocked AccountState = "PinBlocked"
	// StateUnknown: the service sent a state that this operator doesn't know; nothing is done because of it.
	StateUnknown AccountState = "Unknown"
)

// MFAUserStatus is what the operator found and did.
type MFAUserStatus struct {
	// ObservedGeneration is the metadata.generation that this status speaks of; -1 until the operator has looked at the object,
	// so that nobody who waits for it takes it for done.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// AccountID is the service's stable key of the account. Once set, the account is this MFAUser's.
	// +optional
	AccountID string `json:"accountID,omitempty"`
	// State of the account when it was last seen.
	// +optional
	State AccountState `json:"state,omitempty"`
	// Devices of the account when they were last read; at most 20.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Devices []DeviceStatus `json:"devices,omitempty"`
	// PendingChanges names the spec fields that differ from the account and are not written (managementPolicy Observe). Never their values.
	// +optional
	// +listType=atomic
	PendingChanges []string `json:"pendingChanges,omitempty"`
	// Corrections count, for each field that was written to the account, the writes in a row that no listing is known to
	// have shown kept. Three end the writing of that field (NotConverging) until the manifest changes,
	// reconcile-requested-at asks for it, or the account has the stated value after all. Never values.
	// +optional
	// +listType=map
	// +listMapKey=field
	Corrections []FieldCorrection `json:"corrections,omitempty"`
	// BlockedByRemoval says that the account came back to this MFAUser with the block that an earlier removal had set. The
	// block is lifted as soon as the account may be written, unless spec.access states otherwise.
	// +optional
	BlockedByRemoval bool `json:"blockedByRemoval,omitempty"`
	// Creating says that the account was about to be created. It is written before the call, and only while a complete
	// listing lacked the login; it proves the account ours when the answer is lost.
	// +optional
	Creating *CreationIntent `json:"creating,omitempty"`
	// Code is the newest code of the account.
	// +optional
	Code *CodeStatus `json:"code,omitempty"`
	// HandledCodeGeneration is the highest spec.code.generation that was ever acted on.
	// +optional
	HandledCodeGeneration int64 `json:"handledCodeGeneration,omitempty"`
	// HandledIssueCodes are the values of the issue-code annotation that were acted on, the newest last; at most 20. None of
	// them acts again.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	HandledIssueCodes []string `json:"handledIssueCodes,omitempty"`
	// CodeTimes are the times within the last hour at which a code was asked for; five are allowed. Older ones may still be
	// listed until the next is added.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	CodeTimes []metav1.Time `json:"codeTimes,omitempty"`
	// CodeRefusal is the newest code request, if it was refused.
	// +optional
	CodeRefusal *CodeRefusal `json:"codeRefusal,omitempty"`
	// HandledReconcileRequest is the last value of the reconcile-requested-at annotation that was acted on.
	// +optional
	HandledReconcileRequest string `json:"handledReconcileRequest,omitempty"`
	// Conditions: Ready, AccountSynced, CodeReady and Enrolled, and Reconciling and Stalled while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// FieldCorrection is what became of the writes of one field.
type FieldCorrection struct {
	// Field is its name in spec.
	Field string `json:"field"`
	// Writes in a row that the service is not known to have kept.
	Writes int32 `json:"writes"`
	// At is when the newest of them was made.
	At metav1.Time `json:"at"`
}

// DeviceStatus is one enrolled device.
type DeviceStatus struct {
	// Family of the device: ma (mobile), ca (desktop or browser), mac (in-app), va (Virtual Authenticator).
	// +optional
	Family string `json:"family,omitempty"`
	// Name of the device.
	// +optional
	Name string `json:"name,omitempty"`
	// State of the device: Active, Locked, PinLocked or Unknown.
	// +optional
	State string `json:"state,omitempty"`
}

// CreationIntent is a creation whose outcome is not known yet.
type CreationIntent struct {
	// At is when the newest attempt was about to be made. Only a listing begun later can tell what became of it.
	At metav1.MicroTime `json:"at"`
	// Attempts is the number of times the account was asked for. After the first, a taken login may be our own doing.
	Attempts int32 `json:"attempts"`
}
