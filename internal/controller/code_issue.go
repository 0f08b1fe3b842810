package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

var remoteCodeTypes = map[v1alpha1.CodeType]mfaclient.CodeType{
	v1alpha1.CodeShort:    mfaclient.CodeTypeShort,
	v1alpha1.CodeInactive: mfaclient.CodeTypeInactive,
	v1alpha1.CodeLink:     mfaclient.CodeTypeLink,
}

var remotePurposes = map[v1alpha1.CodePurpose]mfaclient.Purpose{
	v1alpha1.PurposeEnrollment: mfaclient.PurposeEnrollment,
	v1alpha1.PurposeAddDevice:  mfaclient.PurposeAddDevice,
	v1alpha1.PurposeUnlock:     mfaclient.PurposeUnlock,
	v1alpha1.PurposeRestore:    mfaclient.PurposeRestore,
}

func toSecret(delivery v1alpha1.CodeDelivery) bool { return delivery != v1alpha1.DeliveryEmail }

func byEmail(delivery v1alpha1.CodeDelivery) bool {
	return delivery == v1alpha1.DeliveryEmail || delivery == v1alpha1.DeliverySecretAndEmail
}

// issue asks for a code: first the intent, locked to what this pass has read, then the call, then at once its storing.
func (r *UserReconciler) issue(ctx context.Context, s *scope, request *rules.CodeRequest, devices []string) error {
	intent := request.Intent(r.now())
	intent.DeviceIDs = devices
	rules.NoteRequest(s.user, request)
	s.issuing(intent)
	s.countCode(intent.At)
	if err := r.recordIntent(ctx, s); err != nil {
		return err
	}
	code, err := s.client.IssueCode(ctx, s.account.ID, remotePurposes[intent.Purpose], remoteCodeTypes[intent.Type])
	if err != nil {
		return r.issueFailed(ctx, s, request, err)
	}
	ctx, cancel := unrepeatable(ctx)
	defer cancel()
	return r.handOut(ctx, s, intent, code)
}

// issuing notes a request that is on its way. A code before it that lives keeps its record: should the service refuse, it
// is still the one.
func (s *scope) issuing(intent *v1alpha1.CodeIntent) {
	status := &s.user.Status
	if status.Code == nil || !live(status.Code) {
		status.Code = &v1alpha1.CodeStatus{
			Request: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Delivery: intent.Delivery, Phase: v1alpha1.CodeIssuing,
		}
	}
	status.Code.Pending = intent
}

// countCode counts a code that is about to be asked for against the hour's allowance.
func (s *scope) countCode(at metav1.Time) {
	times := append(recentCodes(s.user.Status.CodeTimes, at.Time), at)
	s.user.Status.CodeTimes = times[max(0, len(times)-codesPerHour):]
}

// recentCodes are the times of the last hour's codes, the newest last.
func recentCodes(times []metav1.Time, now time.Time) []metav1.Time {
	recent := make([]metav1.Time, 0, codesPerHour)
	for _, at := range times {
		if now.Sub(at.Time) < time.Hour {
			recent = append(recent, at)
		}
	}
	return recent
}

// issueFailed keeps the request open when the service may have issued a code or has not come to it, and is done with it when
// the service has refused.
func (r *UserReconciler) issueFailed(ctx context.Context, s *scope, request *rules.CodeRequest, err error) error {
	e := asClientError(err)
	if e.Unclear {
		// A code that nobody saw may live now, and then the one in the Secret is dead.
		if wipe := r.supersede(ctx, s); wipe != nil {
			return wipe
		}
		return fmt.Errorf("issue the code: %w", err)
	}
	s.unsend()
	switch e.Kind {
	case mfaclient.KindInvalid, mfaclient.KindConflict:
		s.refuse(request, "the service refuses to issue this code for this account")
		return nil
	case mfaclient.KindDenied:
		s.refuse(request, "the token has no right to issue this code; ask the administrator of the service")
		return nil
	case mfaclient.KindNotFound:
		return r.whenGone(s, err)
	}
	return fmt.Errorf("issue the code: %w", err)
}

// unsend notes that the call has not issued a code.
func (s *scope) unsend() {
	s.user.Status.Code.Pending.Sent = false
	s.uncountCode()
}

// uncountCode takes back the newest count: no code came of it.
func (s *scope) uncountCode() {
	times := s.user.Status.CodeTimes
	s.user.Status.CodeTimes = times[:len(times)-1]
}

// handOut stores a code that was just issued. Nothing may come between the call and this.
func (r *UserReconciler) handOut(ctx context.Context, s *scope, intent *v1alpha1.CodeIntent, code mfaclient.IssuedCode) error {
	issuedAt, expiresAt := r.codeTimes(s, intent.Type, code.ExpiresAt)
	r.metrics.codeIssued(s.conn.key, intent.Purpose, intent.Type)
	s.conn.inventory.UnpinState(s.account.ID)
	if err := r.store(ctx, s, intent, code, issuedAt, expiresAt); err != nil {
		// The code is lost with this pass; the intent makes the next ask for another, which cancels this one.
		s.issuing(intent)
		return err
	}
	s.issued(intent, issuedAt, expiresAt)
	if toSecret(intent.Delivery) {
		s.did("CodeIssued", "IssueCode", "put a code into the Secret "+s.user.CodeSecretName())
		return nil
	}
	// No Secret shows that the request was answered, so status has to, before the link is mailed.
	s.did("CodeIssued", "IssueCode", "had a link made that is mailed to the person")
	return r.recordIntent(ctx, s)
}

// store puts the code into the Secret, or, when it is only mailed, drops it and takes the dead one before it out of there.
func (r *UserReconciler) store(ctx context.Context, s *scope, intent *v1alpha1.CodeIntent, code mfaclient.IssuedCode, issuedAt, expiresAt time.Time) error {
	if !toSecret(intent.Delivery) {
		if before := s.user.Status.Code; before == nil || before.SecretRef == nil {
			return nil
		}
		return r.refreshSecret(ctx, s, false)
	}
	content := codeContent{
		code: code.Code, link: code.Link, request: intent.Request, accountID: s.account.ID, login: s.user.Spec.Login,
		state: s.user.Status.State, purpose: intent.Purpose, codeType: intent.Type, issuedAt: issuedAt, expiresAt: expiresAt,
	}
	if err := r.applySecret(ctx, s, content, applyForReal); err != nil {
		return fmt.Errorf("store the code: %w", err)
	}
	s.secretState = content.state
	return nil
}

// codeTimes returns when a code was issued and when it runs out: as the service says, else as the tenant has it.
func (r *UserReconciler) codeTimes(s *scope, codeType v1alpha1.CodeType, said time.Time) (issuedAt, expiresAt time.Time) {
	issuedAt = r.now().Truncate(time.Second)
	if said.IsZero() {
		said = issuedAt.Add(lifetime(s.connObject.Spec.CodeLifetimes, codeType))
	}
	return issuedAt, said.Truncate(time.Second)
}

// issued records that a request was answered and the code stored.
func (s *scope) issued(intent *v1alpha1.CodeIntent, issuedAt, expiresAt time.Time) {
	s.stored = true
	code := &v1alpha1.CodeStatus{
		Request: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Delivery: intent.Delivery, Phase: v1alpha1.CodeActive,
		IssuedAt: &metav1.Time{Time: issuedAt}, ExpiresAt: &metav1.Time{Time: expiresAt}, DeviceIDs: intent.DeviceIDs,
	}
	if intent.Type == v1alpha1.CodeInactive {
		code.Phase = v1alpha1.CodeInactivePhase
	}
	if toSecret(intent.Delivery) {
		code.SecretRef = &v1alpha1.SecretReference{Name: s.user.CodeSecretName()}
	}
	s.user.Status.Code, s.user.Status.CodeRefusal = code, nil
}

// usedUnseen ends a request whose code nobody is known to have got, and whose person has enrolled all the same.
func (s *scope) usedUnseen(intent *v1alpha1.CodeIntent) {
	s.user.Status.Code = &v1alpha1.CodeStatus{
		Request: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Delivery: intent.Delivery, Phase: v1alpha1.CodeUsed,
	}
}

// refuse is done with a request that can't be met: it never acts later. A code that lives is not touched.
func (s *scope) refuse(request *rules.CodeRequest, why string) {
	rules.NoteRequest(s.user, request)
	status := &s.user.Status
	status.CodeRefusal = &v1alpha1.CodeRefusal{Request: request.Name, Message: why + request.WayOn()}
	over := status.Code != nil && slices.Contains(phasesOver, status.Code.Phase) && !rules.StillAsked(s.user, request.Name)
	if status.Code != nil && (over || live(status.Code) || rules.RenewalRequest(s.user) != nil) {
		status.Code.Pending = nil // it lives, is to be renewed, or was dealt with before somebody asked by hand
	} else {
		status.Code = &v1alpha1.CodeStatus{Request: request.Name, Type: request.Type, Delivery: request.Delivery, Phase: v1alpha1.CodeRefused}
		if request.Purpose != rules.PurposePINErrors {
			status.Code.Purpose = request.Purpose
		}
	}
	s.warn("CodeRefused", "IssueCode", status.CodeRefusal.Message)
}

// phasesOver are those of codes that were handed out and are no more.
var phasesOver = []v1alpha1.CodePhase{v1alpha1.CodeUsed, v1alpha1.CodeExpired, v1alpha1.CodeSuperseded, v1alpha1.CodeLost}

// lifetime of a code for which the service did not say when it expires.
func lifetime(tenant v1alpha1.CodeLifetimes, codeType v1alpha1.CodeType) time.Duration {
	configured, fallback := tenant.Link.Duration, 504*time.Hour
	switch codeType {
	case v1alpha1.CodeShort:
		configured, fallback = tenant.Short.Duration, 15*time.Minute
	case v1alpha1.CodeInactive:
		configured = tenant.Inactive.Duration
	}
	if configured > 0 {
		return configured
	}
	return fallback
}
