package controller

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const messageTokenRejected = "the service refuses the token: it is wrong, has expired or lacks the right; put a new one into the Secret"

// connectionFault is a fault of the connection that somebody has to mend. Its text may be shown.
type connectionFault struct{ reason, message string }

func (f *connectionFault) Error() string { return f.message }

func isConnectionFault(err error) bool {
	_, ok := errors.AsType[*connectionFault](err)
	return ok
}

func faulty(reason, message string) error { return &connectionFault{reason, message} }

// connectionOutcome is what a pass over a connection means.
type connectionOutcome struct {
	readiness readiness
	// stalled is true when somebody has to act; else the operator goes on trying.
	stalled bool
	reason  string
	message string
	token   metav1.ConditionStatus
}

// classifyConnection is the one table from fault to condition for connections.
func classifyConnection(err error) connectionOutcome {
	bad := func(stalled bool, token metav1.ConditionStatus, reason, message string) connectionOutcome {
		return connectionOutcome{readinessNotReady, stalled, reason, message, token}
	}
	if err == nil {
		return connectionOutcome{readinessReady, false, v1alpha1.ReasonReconciled, "the token works and the accounts have been listed", metav1.ConditionTrue}
	}
	if fault, ok := errors.AsType[*connectionFault](err); ok {
		token := metav1.ConditionFalse
		if fault.reason == v1alpha1.ReasonInvalidSpec {
			token = metav1.ConditionUnknown
		}
		return bad(true, token, fault.reason, fault.message)
	}
	if errors.Is(err, inventory.ErrListingIncomplete) {
		return bad(false, metav1.ConditionTrue, v1alpha1.ReasonListingIncomplete,
			"the listing lacks too many managed accounts to be believed; nothing is concluded from it, and it is repeated. "+
				"If they were removed on purpose, annotate their MFAUsers with trustbuilder-mfa.dev/orphan: \"true\" and delete them")
	}
	e := asClientError(err)
	switch kindOf(e) {
	case mfaclient.KindUnauthenticated, mfaclient.KindDenied:
		return bad(true, metav1.ConditionFalse, v1alpha1.ReasonTokenRejected, messageTokenRejected)
	case mfaclient.KindRateLimited:
		return bad(false, metav1.ConditionUnknown, v1alpha1.ReasonRateLimited, "the service asked to slow down; the listing is repeated after the pause")
	case mfaclient.KindUnavailable:
		return bad(false, metav1.ConditionUnknown, v1alpha1.ReasonServiceUnavailable, "the service can't be reached or answers with errors: "+reasonOf(e))
	case mfaclient.KindMalformed, mfaclient.KindInvalid, mfaclient.KindNotFound, mfaclient.KindConflict, mfaclient.KindQuotaExceeded:
		return bad(false, metav1.ConditionUnknown, v1alpha1.ReasonMalformedResponse,
			"the service's answer to the listing can't be understood; check spec.url and the operator's --api-overrides: "+reasonOf(e))
	}
	return connectionOutcome{reason: v1alpha1.ReasonInternalError}
}

// reasonOf is the fixed sentence of a client error, which holds nothing of the answer.
func reasonOf(e *mfaclient.Error) string {
	if e.Reason != "" {
		return e.Reason
	}
	if e.Status != 0 {
		return fmt.Sprintf("it answers with the HTTP status %d; kubectl mfa doctor asks it anew and tells more", e.Status)
	}
	return "kubectl mfa doctor asks it anew and tells more"
}

// asClientError returns the client's error, or one without a kind.
func asClientError(err error) *mfaclient.Error {
	if e, ok := errors.AsType[*mfaclient.Error](err); ok {
		return e
	}
	return &mfaclient.Error{}
}

// describe writes the outcome into status: conditions, counts.
func (r *ConnectionReconciler) describe(s *connectionScope, out connectionOutcome) {
	status := &s.object.Status
	set := func(kind string, value metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: value, Reason: reason, Message: message,
			ObservedGeneration: s.object.Generation, LastTransitionTime: metav1.NewTime(s.now),
		})
	}
	status.ObservedGeneration = s.object.Generation
	ready := metav1.ConditionFalse
	if out.readiness == readinessReady && !out.stalled {
		ready = metav1.ConditionTrue
	}
	set(v1alpha1.ConditionReady, ready, out.reason, out.message)
	meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionStalled)
	meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionReconciling)
	if ready != metav1.ConditionTrue {
		kind := v1alpha1.ConditionReconciling
		if out.stalled {
			kind = v1alpha1.ConditionStalled
		}
		set(kind, metav1.ConditionTrue, out.reason, out.message)
		keepTransition(s.base.Status.Conditions, status.Conditions, kind)
	}
	switch out.token {
	case metav1.ConditionTrue:
		message := "the service accepted the token"
		if s.token != nil && s.token.DeletionTimestamp != nil {
			message += "; its Secret is being deleted, and goes once no MFAUser holds an account through it"
		}
		set(v1alpha1.ConditionTokenValid, out.token, v1alpha1.ReasonTokenAccepted, message)
	case metav1.ConditionFalse:
		set(v1alpha1.ConditionTokenValid, out.token, out.reason, out.message)
	default:
		set(v1alpha1.ConditionTokenValid, out.token, v1alpha1.ReasonTokenUnchecked, "the service could not be asked")
	}
	r.describeToken(s, set)
	r.describeListing(s, set)
	s.handleApproval()
	s.describeGuard(set)
	s.describeDeletion(set)
	r.countAccounts(s)
}

// describeToken says when the token runs out within 30 days.
func (r *ConnectionReconciler) describeToken(s *connectionScope, set func(string, metav1.ConditionStatus, string, string)) {
	expiry := s.object.Status.TokenExpiresAt
	meta.RemoveStatusCondition(&s.object.Status.Conditions, v1alpha1.ConditionTokenExpiring)
	if expiry == nil {
		return
	}
	for _, step := range tokenWarnings {
		if s.now.Add(step.before).Before(expiry.Time) {
			continue
		}
		set(v1alpha1.ConditionTokenExpiring, metav1.ConditionTrue, step.reason, "the token runs out soon, see status.tokenExpiresAt; put a new one into the Secret")
		keepTransition(s.base.Status.Conditions, s.object.Status.Conditions, v1alpha1.ConditionTokenExpiring)
		return
	}
}

// tokenWarnings, the most urgent first.
var tokenWarnings = []struct {
	before time.Duration
	reason string
}{
	{24 * time.Hour, v1alpha1.ReasonExpiresWithin1Day},
	{7 * 24 * time.Hour, v1alpha1.ReasonExpiresWithin7Days},
	{30 * 24 * time.Hour, v1alpha1.ReasonExpiresWithin30Days},
}

// tokenDeadline is the next time at which the token's expiry changes a condition; zero when there is none.
func tokenDeadline(object *v1alpha1.MFAConnection, now time.Time) time.Time {
	expiry := object.Status.TokenExpiresAt
	if expiry == nil {
		return time.Time{}
	}
	for _, before := range []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, 0} {
		if at := expiry.Add(-before); at.After(now) {
			return at
		}
	}
	return time.Time{}
}

// describeListing says when the picture is older than three intervals.
func (r *ConnectionReconciler) describeListing(s *connectionScope, set func(string, metav1.ConditionStatus, string, string)) {
	meta.RemoveStatusCondition(&s.object.Status.Conditions, v1alpha1.ConditionListingStale)
	if s.conn.inventory.Begun().IsZero() || !staleDeadline(s).IsZero() {
		return
	}
	set(v1alpha1.ConditionListingStale, metav1.ConditionTrue, v1alpha1.ReasonListingTooOld,
		"the picture of the accounts is older than three intervals; the Ready condition says what keeps the listing from ending")
	keepTransition(s.base.Status.Conditions, s.object.Status.Conditions, v1alpha1.ConditionListingStale)
}

// staleDeadline is when the picture will be older than three intervals; zero when it is, or when there is none.
func staleDeadline(s *connectionScope) time.Time {
	begun := s.conn.inventory.Begun()
	if at := begun.Add(3 * interval(s.object)); !begun.IsZero() && at.After(s.now) {
		return at
	}
	return time.Time{}
}

// keepTransition gives a condition that was removed and set again in one pass its old transition time back.
func keepTransition(before, after []metav1.Condition, kind string) {
	old, now := meta.FindStatusCondition(before, kind), meta.FindStatusCondition(after, kind)
	if old != nil && now != nil && old.Status == now.Status {
		now.LastTransitionTime = old.LastTransitionTime
	}
}

// readyOf returns the Ready condition, or an empty one.
func readyOf(conditions []metav1.Condition) metav1.Condition {
	if ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}
