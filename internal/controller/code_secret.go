package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// codeContent is what a code Secret says. Without code and link it is the record of a code that is no more.
type codeContent struct {
	code, link          mfaclient.Code
	request             string
	accountID           mfaclient.AccountID
	login               string
	state               v1alpha1.AccountState
	purpose             v1alpha1.CodePurpose
	codeType            v1alpha1.CodeType
	issuedAt, expiresAt time.Time
	found               bool // it was read from a Secret of ours
}

// answers tells whether this is the stored answer to a request for that account. One word may be the token of two requests
// by hand for different purposes.
func (c codeContent) answers(intent *v1alpha1.CodeIntent, id mfaclient.AccountID) bool {
	return c.found && c.request == intent.Request && c.purpose == intent.Purpose && c.accountID == id && !(c.code.IsZero() && c.link.IsZero())
}

// errCodeSecret is in every error that says that a code's Secret can't be read or written now.
var errCodeSecret = errors.New("the code Secret")

// applyMode says whether an apply is only tried.
type applyMode bool

const (
	applyForReal applyMode = false
	applyDryRun  applyMode = true
)

// checkSecret makes sure, before a code is asked for, that it can be stored: nobody else's Secret has the name, and the
// API server would take it.
func (r *UserReconciler) checkSecret(ctx context.Context, s *scope) error {
	stored, err := r.readCodeSecret(ctx, s)
	if err != nil {
		return err
	}
	if !stored.found {
		if err := r.checkNamesakes(ctx, s); err != nil {
			return err
		}
	}
	trial := codeContent{
		code: mfaclient.NewCode("trial"), request: rules.RequestCreate, accountID: "0", login: s.user.Spec.Login, state: v1alpha1.StateUnknown,
		purpose: v1alpha1.PurposeEnrollment, codeType: s.user.Spec.Code.Type, issuedAt: s.now, expiresAt: s.now,
	}
	if err := r.applySecret(ctx, s, trial, applyDryRun); err != nil {
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsConflict(err) {
			return stalledFor(v1alpha1.ReasonSecretConflict,
				"the code's Secret can't be written (a quota, an admission rule or a terminating namespace forbids it); no code is asked for until it can", secretRetry)
		}
		return fmt.Errorf("try to write the code Secret: %w", err)
	}
	return nil
}

// checkNamesakes lets one of the MFAUsers that name the same Secret make it. Another that had found the name free would
// take it over, and its person's code would be read as the first one's.
func (r *UserReconciler) checkNamesakes(ctx context.Context, s *scope) error {
	secret := s.user.CodeSecretName()
	namesakes, err := r.usersBy(ctx, indexSecret, s.user.Namespace+"/"+secret)
	if err != nil {
		return err
	}
	if name, ok := strings.CutSuffix(secret, v1alpha1.DefaultSecretSuffix); ok && name != s.user.Name {
		var byDefault v1alpha1.MFAUser
		switch err := r.client.Get(ctx, client.ObjectKey{Namespace: s.user.Namespace, Name: name}, &byDefault); {
		case client.IgnoreNotFound(err) != nil:
			return err
		case err == nil && byDefault.CodeSecretName() == secret:
			namesakes = append(slices.Clip(namesakes), byDefault)
		}
	}
	for n := range namesakes {
		if other := &namesakes[n]; other.UID != s.user.UID && rules.Owns(other, s.user) {
			return secretOfAnother(secret, other.Name)
		}
	}
	return nil
}

func secretOfAnother(secret, user string) error {
	return stalledFor(v1alpha1.ReasonSecretConflict,
		fmt.Sprintf("the Secret %s is for the code of the MFAUser %s; choose another spec.code.secretName in a new MFAUser", secret, user), secretRetry)
}

// secretRetry is how often a Secret that could not be written is tried again: what forbids it wakes nobody.
const secretRetry = 30 * time.Second

// readCodeSecret reads the user's code Secret live. A Secret that is not ours stops the pass; one that is not there is empty content.
func (r *UserReconciler) readCodeSecret(ctx context.Context, s *scope) (codeContent, error) {
	var secret corev1.Secret
	err := r.live.Get(ctx, client.ObjectKey{Namespace: s.user.Namespace, Name: s.user.CodeSecretName()}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return codeContent{}, nil
	case err != nil:
		return codeContent{}, fmt.Errorf("read %w: %w", errCodeSecret, err)
	case !ours(&secret, s.user):
		if owner := metav1.GetControllerOf(&secret); secret.Type == v1alpha1.SecretType && owner != nil && owner.Kind == "MFAUser" && owner.Name != s.user.Name {
			return codeContent{}, secretOfAnother(secret.Name, owner.Name)
		}
		return codeContent{}, stalledFor(v1alpha1.ReasonSecretConflict,
			fmt.Sprintf("the Secret %s was not made for this MFAUser, or is immutable; it is not touched. Delete it, or choose another spec.code.secretName in a new MFAUser", secret.Name), secretRetry)
	}
	return codeContent{
		found: true,
		code:  mfaclient.NewCode(string(secret.Data[v1alpha1.KeyCode])), link: mfaclient.NewCode(string(secret.Data[v1alpha1.KeyLink])),
		request: secret.Annotations[v1alpha1.AnnotationRequest], accountID: mfaclient.AccountID(secret.Data[v1alpha1.KeyAccountID]),
		login: string(secret.Data[v1alpha1.KeyLogin]), state: v1alpha1.AccountState(secret.Data[v1alpha1.KeyState]),
		purpose: v1alpha1.CodePurpose(secret.Data[v1alpha1.KeyPurpose]), codeType: v1alpha1.CodeType(secret.Data[v1alpha1.KeyCodeType]),
		issuedAt: parseTime(secret.Data[v1alpha1.KeyIssuedAt]), expiresAt: parseTime(secret.Data[v1alpha1.KeyExpiresAt]),
	}, nil
}

// ours tells whether a Secret was made for this very MFAUser: type, owner UID, and it can be changed.
func ours(secret *corev1.Secret, user *v1alpha1.MFAUser) bool {
	if secret.Type != v1alpha1.SecretType || secret.Immutable != nil && *secret.Immutable {
		return false
	}
	owner := metav1.GetControllerOf(secret)
	return owner != nil && owner.UID == user.UID
}

// applySecret writes the Secret by server-side apply: a key that the content no longer has is removed, and keys of others stay,
// but for a code or link.
func (r *UserReconciler) applySecret(ctx context.Context, s *scope, content codeContent, mode applyMode) error {
	opts := []client.ApplyOption{client.FieldOwner(fieldOwner), client.ForceOwnership}
	if mode == applyDryRun {
		opts = append(opts, client.DryRunAll)
	}
	secret := content.secret(s.user)
	if err := r.client.Apply(ctx, secret, opts...); err != nil || mode == applyDryRun {
		return withoutText(err)
	}
	return withoutText(r.takeOut(ctx, content, secret))
}

// takeOut removes a code or link that the content does not have and that the apply has left: whoever restores the Secret from a
// file or edits it owns the key too. The apply's answer tells, so that costs a write only then.
func (r *UserReconciler) takeOut(ctx context.Context, content codeContent, answer *corev1ac.SecretApplyConfiguration) error {
	left := map[string]any{}
	for key, code := range map[string]mfaclient.Code{v1alpha1.KeyCode: content.code, v1alpha1.KeyLink: content.link} {
		if _, there := answer.Data[key]; there && code.IsZero() {
			left[key] = nil
		}
	}
	if len(left) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"data": left})
	if err != nil {
		return fmt.Errorf("take a dead code out: %w", err)
	}
	secret := secretMetadata() // the answer need not bring the rest
	secret.Namespace, secret.Name = *answer.Namespace, *answer.Name
	return r.client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch))
}

// withoutText keeps what kind of refusal an answer of the API server is, and drops its words: an admission webhook that
// quotes the object it refuses would put the code into the log.
func withoutText(err error) error {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return err
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Reason: status.Status().Reason, Code: status.Status().Code,
		Message: "the API server refused the Secret: " + string(status.Status().Reason),
	}}
}

// secret is the apply configuration for the content.
func (c codeContent) secret(user *v1alpha1.MFAUser) *corev1ac.SecretApplyConfiguration {
	data := map[string][]byte{
		v1alpha1.KeyLogin:     []byte(c.login),
		v1alpha1.KeyAccountID: []byte(c.accountID),
		v1alpha1.KeyState:     []byte(c.state),
		v1alpha1.KeyPurpose:   []byte(c.purpose),
		v1alpha1.KeyCodeType:  []byte(c.codeType),
		v1alpha1.KeyIssuedAt:  []byte(c.issuedAt.UTC().Format(time.RFC3339)),
		v1alpha1.KeyExpiresAt: []byte(c.expiresAt.UTC().Format(time.RFC3339)),
	}
	if !c.code.IsZero() {
		data[v1alpha1.KeyCode] = c.code.Reveal()
	}
	if !c.link.IsZero() {
		data[v1alpha1.KeyLink] = c.link.Reveal()
	}
	owner := metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).WithKind("MFAUser").
		WithName(user.Name).WithUID(user.UID).WithController(true).WithBlockOwnerDeletion(false)
	return corev1ac.Secret(user.CodeSecretName(), user.Namespace).
		WithType(v1alpha1.SecretType).
		WithLabels(map[string]string{v1alpha1.LabelCode: v1alpha1.LabelTrue}).
		WithAnnotations(map[string]string{v1alpha1.AnnotationRequest: c.request}).
		WithOwnerReferences(owner).
		WithData(data)
}

func parseTime(text []byte) time.Time {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return time.Time{}
	}
	return t
}
