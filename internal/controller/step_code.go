package controller

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// requestCreate is the request that a new account's enrolment code answers.
const requestCreate = "create"

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

// syncCode answers the open code request, if there is one.
func (r *UserReconciler) syncCode(ctx context.Context, s *scope) error {
	if s.observeOnly() {
		return nil
	}
	if intent := s.pendingCode(); intent != nil {
		return r.answer(ctx, s, intent)
	}
	return nil
}

// codeIntent is the status of a code that is about to be asked for.
func (r *UserReconciler) codeIntent(s *scope, request string) *v1alpha1.CodeStatus {
	return &v1alpha1.CodeStatus{
		Request: request, Purpose: v1alpha1.PurposeEnrollment, Type: s.user.Spec.Code.Type, Phase: v1alpha1.CodeIssuing,
		Pending: &v1alpha1.CodeIntent{
			Request: request, Purpose: v1alpha1.PurposeEnrollment, Type: s.user.Spec.Code.Type, At: metav1.NewTime(s.now),
		},
	}
}

// answer asks for the code of an intent, unless the Secret shows that an earlier pass was answered and stopped before it
// could say so. Asking once more cancels a code that nobody saw.
func (r *UserReconciler) answer(ctx context.Context, s *scope, intent *v1alpha1.CodeIntent) error {
	s.open = true
	stored, err := r.readCodeSecret(ctx, s)
	if err != nil {
		return err
	}
	if stored.answers(intent.Request, s.account.ID) {
		s.codeIssued(intent, stored.issuedAt, stored.expiresAt)
		return nil
	}
	if s.account.State == mfaclient.StateActivated {
		// Whoever was meant to have the code has enrolled meanwhile.
		s.user.Status.Code = &v1alpha1.CodeStatus{Request: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Phase: v1alpha1.CodeUsed}
		return nil
	}
	if err := r.checkSecret(ctx, s); err != nil {
		return err
	}
	issued, err := s.client.IssueCode(ctx, s.account.ID, remotePurposes[intent.Purpose], remoteCodeTypes[intent.Type])
	if err != nil {
		if mfaclient.KindOf(err) == mfaclient.KindNotFound {
			return r.whenGone(s, err)
		}
		return fmt.Errorf("issue the code: %w", err)
	}
	ctx, cancel := unrepeatable(ctx)
	defer cancel()
	return r.storeCode(ctx, s, intent, issued)
}

// storeCode puts a code that was just issued into the Secret. Nothing may come between the call and this.
func (r *UserReconciler) storeCode(ctx context.Context, s *scope, intent *v1alpha1.CodeIntent, issued mfaclient.IssuedCode) error {
	issuedAt := r.now().Truncate(time.Second)
	expiresAt := issued.ExpiresAt
	if expiresAt.IsZero() {
		expiresAt = issuedAt.Add(lifetime(s.connObject.Spec.CodeLifetimes, intent.Type))
	}
	expiresAt = expiresAt.Truncate(time.Second)
	content := codeContent{
		code: issued.Code, link: issued.Link, request: intent.Request, accountID: s.account.ID, login: s.user.Spec.Login,
		state: s.user.Status.State, purpose: intent.Purpose, codeType: intent.Type, issuedAt: issuedAt, expiresAt: expiresAt,
	}
	r.metrics.codeIssued(intent.Purpose, intent.Type)
	if err := r.applySecret(ctx, s, content, applyForReal); err != nil {
		// The code is lost with this pass; the intent makes the next ask for another, which cancels this one.
		s.user.Status.Code = &v1alpha1.CodeStatus{
			Request: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Phase: v1alpha1.CodeIssuing, Pending: intent,
		}
		return fmt.Errorf("store the code: %w", err)
	}
	s.codeIssued(intent, issuedAt, expiresAt)
	s.did("CodeIssued", "IssueCode", "put a code into the Secret "+s.user.CodeSecretName())
	return nil
}

// codeIssued records that the Secret holds the answer to an intent.
func (s *scope) codeIssued(intent *v1alpha1.CodeIntent, issuedAt, expiresAt time.Time) {
	s.stored = true
	phase := v1alpha1.CodeActive
	if intent.Type == v1alpha1.CodeInactive {
		phase = v1alpha1.CodeInactivePhase
	}
	s.user.Status.Code = &v1alpha1.CodeStatus{
		Request: intent.Request, Purpose: intent.Purpose, Type: intent.Type, Phase: phase,
		IssuedAt: &metav1.Time{Time: issuedAt}, ExpiresAt: &metav1.Time{Time: expiresAt},
		SecretRef: &v1alpha1.SecretReference{Name: s.user.CodeSecretName()},
	}
}

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

// notServed says what of spec.code this version does not do; empty when it does all that is asked.
func notServed(user *v1alpha1.MFAUser) string {
	code := &user.Spec.Code
	switch {
	case code.Delivery != "" && code.Delivery != v1alpha1.DeliverySecret:
		return "this version of the operator does not deliver codes by e-mail; set spec.code.delivery: Secret"
	case code.Purpose != "" && code.Purpose != v1alpha1.PurposeEnrollment:
		return "this version of the operator issues enrolment codes only; set spec.code.purpose: Enrollment"
	case code.Renewal == v1alpha1.RenewalWhenExpired:
		return "this version of the operator does not renew codes; set spec.code.renewal: Never"
	case code.Activation == v1alpha1.ActivationNow:
		return "this version of the operator does not switch inactive codes on; set spec.code.activation: Later"
	}
	return ""
}
