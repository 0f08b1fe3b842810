package doctor

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// token looks at the connection's token, and returns it where it can be used from here. Nothing of it is ever in a check.
func (d *Doctor) token(ctx context.Context, about string, conn *v1alpha1.MFAConnection) (mfaclient.Token, bool) {
	if d.Token != nil {
		return *d.Token, d.claims(about, conn, *d.Token)
	}
	ref := conn.Spec.TokenSecretRef
	named := fmt.Sprintf("the token Secret %s", ref.Name)
	var secret corev1.Secret
	err := d.Client.Get(ctx, client.ObjectKey{Namespace: conn.Namespace, Name: ref.Name}, &secret)
	switch {
	case apierrors.IsForbidden(err):
		d.warn(about, "you may not read "+named+", so the token is not checked from here", "rely on what the operator sees, or give --token-file")
		return mfaclient.Token{}, false
	case apierrors.IsNotFound(err):
		d.fail(about, named+" does not exist", fmt.Sprintf("kubectl -n %s create secret generic %s --from-file=%s=FILE, and label it as the README says", conn.Namespace, ref.Name, keyOf(ref)))
		return mfaclient.Token{}, false
	case err != nil:
		d.fail(about, named+" can't be read: "+err.Error(), "try again once the API server answers")
		return mfaclient.Token{}, false
	}
	if secret.Labels[v1alpha1.LabelToken] != v1alpha1.LabelTrue {
		d.fail(about, named+" lacks the label that allows its use", fmt.Sprintf("kubectl -n %s label secret %s %s=true", conn.Namespace, ref.Name, v1alpha1.LabelToken))
		return mfaclient.Token{}, false
	}
	if len(secret.Data[keyOf(ref)]) == 0 {
		d.fail(about, fmt.Sprintf("%s has no key %q, or its value is empty", named, keyOf(ref)), "put the token under that key, or correct spec.tokenSecretRef.key")
		return mfaclient.Token{}, false
	}
	token, err := mfaclient.NewToken(secret.Data[keyOf(ref)])
	if err != nil {
		d.fail(about, named+": "+err.Error(), "put the token there as the console shows it")
		return mfaclient.Token{}, false
	}
	d.ok(about, "%s is there and labelled", named)
	return token, d.claims(about, conn, token)
}

func keyOf(ref v1alpha1.SecretKeyReference) string {
	if ref.Key == "" {
		return v1alpha1.DefaultTokenKey
	}
	return ref.Key
}

// claims looks at what the token says of itself, and tells whether it is of use.
func (d *Doctor) claims(about string, conn *v1alpha1.MFAConnection, token mfaclient.Token) bool {
	claims := token.Claims()
	if known := conn.Status.ServiceID; known != "" && claims.ServiceID != "" && claims.ServiceID != known {
		d.fail(about, fmt.Sprintf("the token acts for service %s, and the connection's accounts are in service %s", claims.ServiceID, known), "put a token of the recorded service there")
		return false
	}
	renew := "make a new token in the Administration Console and put it in its place"
	if claims.ExpiresAt.IsZero() {
		d.ok(about, "the token does not say when it expires")
		return true
	}
	left := claims.ExpiresAt.Sub(d.Clock.Now())
	switch over, near := d.ending(claims.ExpiresAt); {
	case over:
		d.fail(about, fmt.Sprintf("the token expired %s ago", duration.HumanDuration(-left)), renew)
		return false
	case near:
		d.warn(about, fmt.Sprintf("the token expires in %s", duration.HumanDuration(left)), renew)
	default:
		d.ok(about, "the token expires in %s", duration.HumanDuration(left))
	}
	return true
}
