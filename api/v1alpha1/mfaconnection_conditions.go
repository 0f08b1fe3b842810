package v1alpha1

// Ready on an MFAConnection: True when the token works and the picture of the remote accounts is complete. Its reasons
// beside ReasonReconciled, ReasonRateLimited, ReasonServiceUnavailable, ReasonMalformedResponse, ReasonSelectorUnusable and
// ReasonInternalError:
const (
	// ReasonTokenSecretNotFound: the Secret of tokenSecretRef does not exist. Create it.
	ReasonTokenSecretNotFound = "TokenSecretNotFound"
	// ReasonTokenSecretNotLabelled: the Secret lacks the label trustbuilder-mfa.dev/token: "true". Set it, if the token may be used.
	ReasonTokenSecretNotLabelled = "TokenSecretNotLabelled"
	// ReasonTokenMissing: the Secret has no such key, or its value is empty.
	ReasonTokenMissing = "TokenMissing"
	// ReasonTokenMalformed: the value is no token: it holds white space or control characters.
	ReasonTokenMalformed = "TokenMalformed"
	// ReasonTokenRejected: the service refuses the token. Put a new one into the Secret.
	ReasonTokenRejected = "TokenRejected"
	// ReasonTokenExpired: the token's own expiry time is over. Put a new one into the Secret.
	ReasonTokenExpired = "TokenExpired"
	// ReasonServiceChanged: the token acts for another service than the one the users were made in.
	ReasonServiceChanged = "ServiceChanged"
	// ReasonListingIncomplete: the listing lacks too many managed accounts at once to be believed.
	ReasonListingIncomplete = "ListingIncomplete"
	// ReasonInvalidSpec: the URL or the CA bundle can't be used.
	ReasonInvalidSpec = "InvalidSpec"
)

// ConditionTokenValid tells whether the service accepted the token at the last listing.
const (
	ConditionTokenValid = "TokenValid"

	// ReasonTokenAccepted: the service accepted the token.
	ReasonTokenAccepted = "TokenAccepted"
	// ReasonTokenUnchecked: the service could not be asked.
	ReasonTokenUnchecked = "TokenUnchecked"
)

// ConditionTokenExpiring is there, True, while the token runs out within 30 days.
const (
	ConditionTokenExpiring = "TokenExpiring"

	// ReasonExpiresWithin30Days and the two below: rotate the token.
	ReasonExpiresWithin30Days = "ExpiresWithin30Days"
	ReasonExpiresWithin7Days  = "ExpiresWithin7Days"
	ReasonExpiresWithin1Day   = "ExpiresWithin1Day"
)

// ConditionListingStale is there, True, while the picture of the remote side is older than three resync intervals.
const (
	ConditionListingStale = "ListingStale"

	// ReasonListingTooOld: see the Ready condition for what keeps the listing from ending.
	ReasonListingTooOld = "ListingTooOld"
)

// ConditionChangesHeld is there, True, while the changeGuard holds removals.
const (
	ConditionChangesHeld = "ChangesHeld"

	// ReasonGuardLimitReached: approve with the annotation approve-removals: <n>/<token>.
	ReasonGuardLimitReached = "GuardLimitReached"
)

// ConditionDeleting is there, True, while an MFAConnection that is being deleted waits for its users.
const (
	ConditionDeleting = "Deleting"

	// ReasonInUse: MFAUsers still hold accounts through it. Delete them, or let them go with the annotation orphan: "true".
	ReasonInUse = "InUse"
)
