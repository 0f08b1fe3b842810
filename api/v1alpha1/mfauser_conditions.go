package v1alpha1

// ConditionReady sums up: True when the operator has done what the manifest asks. What a person has yet to do (enrol,
// use a code) never makes it False.
const (
	ConditionReady = "Ready"

	// ReasonReconciled: the account is as stated.
	ReasonReconciled = "Reconciled"
	// ReasonChangesPending: managementPolicy is Observe and the account differs; status.pendingChanges names the fields.
	ReasonChangesPending = "ChangesPending"
	// ReasonSuspended: spec.suspend is true; nothing is done until it is false.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: work is under way; it goes on by itself.
	ReasonProgressing = "Progressing"
	// ReasonConnectionNotFound: the MFAConnection does not exist. Create it, or correct spec.connectionRef in a new MFAUser.
	ReasonConnectionNotFound = "ConnectionNotFound"
	// ReasonConnectionNotReady: there is work to do and the MFAConnection is not ready; see its conditions.
	ReasonConnectionNotReady = "ConnectionNotReady"
	// ReasonNamespaceNotWatched: the operator does not watch the namespace of spec.connectionRef (--watch-namespaces).
	ReasonNamespaceNotWatched = "NamespaceNotWatched"
	// ReasonConnectionDeleting: the MFAConnection is being deleted; nothing new is made through it.
	ReasonConnectionDeleting = "ConnectionDeleting"
	// ReasonRateLimited: the service asked to slow down; the work goes on when the pause is over.
	ReasonRateLimited = "RateLimited"
	// ReasonQuotaExceeded: the service has no licence left for another account; one creation is tried per interval.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonServiceUnavailable: the service can't be reached or answers with errors; tried again with growing delays.
	ReasonServiceUnavailable = "ServiceUnavailable"
	// ReasonMalformedResponse: the service's answer can't be understood; nothing was changed because of it.
	ReasonMalformedResponse = "MalformedResponse"
	// ReasonAccountMissing: the account is gone from the service. Under Observe it is not made again; else it is, after a grace time.
	ReasonAccountMissing = "AccountMissing"
	// ReasonNotAllowed: the MFAConnection's allowedNamespaces or policy does not allow what the manifest asks.
	ReasonNotAllowed = "NotAllowed"
	// ReasonSelectorUnusable: the MFAConnection selects namespaces by labels that the operator may not read, because it watches
	// listed namespaces only (--watch-namespaces). Also on the MFAConnection.
	ReasonSelectorUnusable = "SelectorUnusable"
	// ReasonAccountConflict: the login belongs to an account that is not this MFAUser's and may not be adopted.
	ReasonAccountConflict = "AccountConflict"
	// ReasonDuplicateLogin: another MFAUser owns this login in the same service.
	ReasonDuplicateLogin = "DuplicateLogin"
	// ReasonPrivilegedAccount: the account's remote role is outside the connection's policy.roles; it is never touched.
	ReasonPrivilegedAccount = "PrivilegedAccount"
	// ReasonProtectedAccount: the account is the token's own or the last administrator; it is never removed.
	ReasonProtectedAccount = "ProtectedAccount"
	// ReasonIdentityMismatch: the account with the recorded id has another login; nothing is written.
	ReasonIdentityMismatch = "IdentityMismatch"
	// ReasonSecretConflict: a Secret that this operator did not make has the code Secret's name, or can't be written.
	ReasonSecretConflict = "SecretConflict"
	// ReasonRequestRefused: the service refused the request as wrong; it is tried again when the manifest changes.
	ReasonRequestRefused = "RequestRefused"
	// ReasonDenied: the token has no right on this account.
	ReasonDenied = "Denied"
	// ReasonGroupNotFound: a stated group does not exist in the service; groups are made in the vendor's console.
	ReasonGroupNotFound = "GroupNotFound"
	// ReasonRemovalHeld: the connection's changeGuard holds this removal.
	ReasonRemovalHeld = "RemovalHeld"
	// ReasonOrphanUnclear: the MFAUser is deleted, and the annotation orphan on it or on its connection is neither true nor false.
	ReasonOrphanUnclear = "OrphanUnclear"
	// ReasonNotConverging: the service does not keep a field that was written three times.
	ReasonNotConverging = "NotConverging"
	// ReasonCodeLimitReached: five codes were asked for within the hour; the next is issued when the hour is over.
	ReasonCodeLimitReached = "CodeLimitReached"
	// ReasonDeleting: the MFAUser is being deleted and its account is being dealt with.
	ReasonDeleting = "Deleting"
	// ReasonInternalError: an unexpected error, such as a refused write in the cluster; tried again with growing delays.
	ReasonInternalError = "InternalError"
)

// Conditions of kstatus: there only while True. Reconciling means that work is under way and goes on by itself; Stalled
// means that somebody has to act. Their reason is the one of Ready.
const (
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// ConditionAccountSynced tells whether the account has the stated fields and groups.
const (
	ConditionAccountSynced = "AccountSynced"

	// ReasonInSync: every stated field and group is as stated.
	ReasonInSync = "InSync"
	// ReasonNotCreated: there is no account yet.
	ReasonNotCreated = "NotCreated"
	// ReasonOutOfSync: the account differs from the manifest.
	ReasonOutOfSync = "OutOfSync"
)

// ConditionCodeReady tells whether a live code waits in the Secret.
const (
	ConditionCodeReady = "CodeReady"

	// ReasonCodeActive: the Secret holds a live code, or the person was mailed one.
	ReasonCodeActive = "CodeActive"
	// ReasonCodeInactive: the Secret holds a code that activation: Now switches on.
	ReasonCodeInactive = "CodeInactive"
	// ReasonCodeIssuing: a code has been asked for.
	ReasonCodeIssuing = "CodeIssuing"
	// ReasonCodeUsed: the person used the code.
	ReasonCodeUsed = "CodeUsed"
	// ReasonCodeExpired: the code ran out. Raise spec.code.generation for another.
	ReasonCodeExpired = "CodeExpired"
	// ReasonCodeSuperseded: a newer code cancelled this one.
	ReasonCodeSuperseded = "CodeSuperseded"
	// ReasonCodeLost: the Secret was deleted. Raise spec.code.generation for another.
	ReasonCodeLost = "CodeLost"
	// ReasonCodeRefused: the request does not fit the account. Also on Ready, while spec.code.generation still asks for it.
	ReasonCodeRefused = "CodeRefused"
	// ReasonNoCode: none was asked for.
	ReasonNoCode = "NoCode"
)

// ConditionEnrolled tells whether the person has enrolled a device.
const (
	ConditionEnrolled = "Enrolled"

	// ReasonEnrolled: at least one device has been enrolled.
	ReasonEnrolled = "Enrolled"
	// ReasonWaitingForUser: the person has yet to enrol a device.
	ReasonWaitingForUser = "WaitingForUser"
	// ReasonEnrollmentExpired: the enrolment code was not used in time.
	ReasonEnrollmentExpired = "EnrollmentExpired"
	// ReasonAccountBlocked: the account is blocked.
	ReasonAccountBlocked = "AccountBlocked"
	// ReasonPinBlocked: too many wrong PINs; an Unlock code helps.
	ReasonPinBlocked = "PinBlocked"
	// ReasonStateUnknown: there is no account, or its state is not known to this operator.
	ReasonStateUnknown = "StateUnknown"
)
