package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// observe looks at what the pass has left behind.
func (r *UserReconciler) observe(ctx context.Context, s *scope) error {
	s.user.Status.PendingChanges = s.pending
	due := rules.RenewalRequest(s.user) != nil
	if err := run(ctx, s, []step{r.expireCode, r.followCode, r.observeDevices}); err != nil {
		return err
	}
	if !due && rules.RenewalRequest(s.user) != nil {
		s.wakeAt(s.now) // the code ended only here, after the step that renews it
	}
	s.observed = true
	return refusal(s)
}

// markFacts states how account and code stand, whatever the pass came to. After one that did not get through to the end they are
// facts all the same, but not those that the newest manifest asks for: whoever waits for these goes on waiting.
func (s *scope) markFacts() {
	said := func(kind string) bool { return meta.FindStatusCondition(s.user.Status.Conditions, kind) != nil }
	if s.user.Status.AccountID != "" || s.user.Status.Code != nil || said(v1alpha1.ConditionCodeReady) {
		s.markCode()
	}
	if s.user.Status.AccountID != "" || said(v1alpha1.ConditionEnrolled) {
		s.markEnrolled()
	}
	if s.observed {
		return
	}
	for _, kind := range []string{v1alpha1.ConditionCodeReady, v1alpha1.ConditionEnrolled} {
		was, now := meta.FindStatusCondition(s.base.Status.Conditions, kind), meta.FindStatusCondition(s.user.Status.Conditions, kind)
		if was != nil && now != nil {
			now.ObservedGeneration = was.ObservedGeneration
		}
	}
}

// refusal stops the pass when the manifest still asks for a code that was refused. One that was refused by hand is over: its
// event and status.codeRefusal tell.
func refusal(s *scope) error {
	refused := s.user.Status.CodeRefusal
	if refused == nil || s.observeOnly() || !rules.StillAsked(s.user, refused.Request) {
		return nil
	}
	return stalled(v1alpha1.ReasonCodeRefused, refused.Message)
}

// markCode states how the code stands.
func (s *scope) markCode() {
	code := s.user.Status.Code
	if code == nil {
		s.mark(v1alpha1.ConditionCodeReady, metav1.ConditionFalse, v1alpha1.ReasonNoCode, "no code was asked for")
		return
	}
	row := codeConditions[code.Phase]
	switch {
	case code.Phase == v1alpha1.CodeRefused && s.user.Status.CodeRefusal != nil:
		row.message = s.user.Status.CodeRefusal.Message
	case code.Phase == v1alpha1.CodeActive && code.Delivery == v1alpha1.DeliveryEmail && code.EmailedAt == nil:
		row.message = "a live link is yet to be mailed to the person"
	case code.Phase == v1alpha1.CodeActive && code.Delivery == v1alpha1.DeliveryEmail:
		row.message = "the service was asked to mail the person a live link"
	}
	s.mark(v1alpha1.ConditionCodeReady, row.status, row.reason, row.message)
}

type conditionRow struct {
	status          metav1.ConditionStatus
	reason, message string
}

const raiseGeneration = "raise spec.code.generation for another"

var codeConditions = map[v1alpha1.CodePhase]conditionRow{
	v1alpha1.CodeIssuing:       {metav1.ConditionFalse, v1alpha1.ReasonCodeIssuing, "the code has been asked for"},
	v1alpha1.CodeActive:        {metav1.ConditionTrue, v1alpha1.ReasonCodeActive, "the Secret holds a live code"},
	v1alpha1.CodeInactivePhase: {metav1.ConditionTrue, v1alpha1.ReasonCodeInactive, "the Secret holds a code that is to be switched on with spec.code.activation: Now"},
	v1alpha1.CodeUsed:          {metav1.ConditionFalse, v1alpha1.ReasonCodeUsed, "the person used the code"},
	v1alpha1.CodeExpired:       {metav1.ConditionFalse, v1alpha1.ReasonCodeExpired, "the code ran out unused; " + raiseGeneration},
	v1alpha1.CodeSuperseded:    {metav1.ConditionFalse, v1alpha1.ReasonCodeSuperseded, "a newer code cancelled this one"},
	v1alpha1.CodeLost:          {metav1.ConditionFalse, v1alpha1.ReasonCodeLost, "the Secret with the code was deleted; " + raiseGeneration},
	v1alpha1.CodeRefused:       {metav1.ConditionFalse, v1alpha1.ReasonCodeRefused, "the requested code does not fit the account"},
}

// markEnrolled states how far the person has come.
func (s *scope) markEnrolled() {
	row, ok := enrolledConditions[s.user.Status.State]
	if !ok {
		row = conditionRow{metav1.ConditionUnknown, v1alpha1.ReasonStateUnknown, "the account's state is not known to this operator"}
	}
	s.mark(v1alpha1.ConditionEnrolled, row.status, row.reason, row.message)
}

var enrolledConditions = map[v1alpha1.AccountState]conditionRow{
	v1alpha1.StatePendingActivation: {metav1.ConditionFalse, v1alpha1.ReasonWaitingForUser, "the person has yet to enrol a device"},
	v1alpha1.StateActivated:         {metav1.ConditionTrue, v1alpha1.ReasonEnrolled, "a device has been enrolled"},
	v1alpha1.StateExpired:           {metav1.ConditionFalse, v1alpha1.ReasonEnrollmentExpired, "the enrolment code was not used in time"},
	v1alpha1.StateBlocked:           {metav1.ConditionFalse, v1alpha1.ReasonAccountBlocked, "the account is blocked"},
	v1alpha1.StatePinBlocked:        {metav1.ConditionFalse, v1alpha1.ReasonPinBlocked, "the account is blocked after too many wrong PINs"},
}
