package controller

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

const (
	// approvalMax is the largest number that one approval lets go: as many as the record of removals has room for.
	approvalMax = removalsMax
	// tokenMax is the longest token of an approval, and tokensKept is how many are remembered.
	tokenMax, tokensKept = 64, 100
)

// Reasons of events about approvals.
const (
	eventApproved        = "RemovalsApproved"
	eventApprovalRefused = "ApprovalRefused"
	eventApprovalLapsed  = "ApprovalLapsed"
)

const messageBadApproval = `the annotation trustbuilder-mfa.dev/approve-removals must be "<n>/<token>" with a number from 1 to 1000 and a token of at most 64 printable characters; nothing was let go`

// parseApproval reads "<n>/<token>".
func parseApproval(value string) (n int32, token string, ok bool) {
	count, token, _ := strings.Cut(value, "/")
	number, err := strconv.ParseUint(count, 10, 16)
	visible := !strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' })
	if err != nil || number < 1 || number > approvalMax || token == "" || len(token) > tokenMax || !visible {
		return 0, "", false
	}
	return int32(number), token, true
}

// useApproval takes one removal off what is left of the approval, if there is any.
func useApproval(conn *v1alpha1.MFAConnection, now time.Time) bool {
	approval := conn.Status.Approval
	if approval == nil || !now.Before(approval.ExpiresAt.Time) {
		return false
	}
	if approval.Left--; approval.Left <= 0 {
		conn.Status.Approval = nil
	}
	return true
}

// handleApproval acts on a new value of the approve-removals annotation, and lets an approval lapse that nothing waits
// for any more: it is for what its author saw held, and not for the next accident.
func (s *connectionScope) handleApproval() {
	status := &s.object.Status
	value := s.object.Annotations[v1alpha1.AnnotationApproveRemovals]
	if echo := cut(value); value != "" && echo != status.HandledApproveRemovals {
		status.HandledApproveRemovals = echo
		s.decideApproval(value)
	}
	approval := status.Approval
	if approval == nil || len(s.use.waiting) > 0 && s.now.Before(approval.ExpiresAt.Time) {
		return
	}
	status.Approval = nil
	s.tell(corev1.EventTypeNormal, eventApprovalLapsed, "the rest of the approval has lapsed: nothing waits for it any more, or the changeGuard's window is over")
}

func (s *connectionScope) decideApproval(value string) {
	status := &s.object.Status
	n, token, ok := parseApproval(value)
	switch {
	case !ok:
		s.tell(corev1.EventTypeWarning, eventApprovalRefused, messageBadApproval)
		return
	case slices.Contains(status.HandledApprovalTokens, token):
		s.tell(corev1.EventTypeWarning, eventApprovalRefused, "the token of the approval has been used before; approve with another one")
		return
	}
	tokens := append(slices.Clone(status.HandledApprovalTokens), token)
	status.HandledApprovalTokens = tokens[max(0, len(tokens)-tokensKept):]
	if len(s.use.heldKeys) == 0 {
		s.tell(corev1.EventTypeWarning, eventApprovalRefused, "no removal is held, so there is nothing to approve; once some are, approve them with another token")
		return
	}
	// It takes the place of an earlier one: never do more go than the newest says.
	status.Approval = &v1alpha1.RemovalApproval{Left: n, ExpiresAt: metav1.NewTime(s.now.Add(rules.GuardOf(s.object).Window))}
	s.approved = true
	s.tell(corev1.EventTypeNormal, eventApproved, fmt.Sprintf("held removals that may go now: %d", n))
}

// approvalHint says why the annotation as it stands lets nothing more go.
func (s *connectionScope) approvalHint() string {
	value := s.object.Annotations[v1alpha1.AnnotationApproveRemovals]
	_, token, ok := parseApproval(value)
	switch {
	case value == "" || s.object.Status.Approval != nil:
		return ""
	case !ok:
		return ". As it is, " + messageBadApproval
	case slices.Contains(s.object.Status.HandledApprovalTokens, token):
		return ". The approval that the annotation holds now has been used: another needs a new token"
	}
	return ""
}

// cut is the part of an annotation that is echoed in status.
func cut(value string) string {
	const longest = 128
	if len(value) <= longest {
		return value
	}
	return strings.ToValidUTF8(value[:longest], "")
}
