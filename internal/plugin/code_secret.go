package plugin

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// liveCode is what a code Secret holds.
type liveCode struct {
	code, link mfaclient.Code
	purpose    string
	phase      v1alpha1.CodePhase
	expiresAt  time.Time
}

// best is what the person needs: the link where there is one.
func (l *liveCode) best() mfaclient.Code {
	if !l.link.IsZero() {
		return l.link
	}
	return l.code
}

func printable(code mfaclient.Code) bool {
	return !slices.ContainsFunc(code.Reveal(), func(b byte) bool { return b < ' ' || b > '~' })
}

// noCode says why the user has no code to show, and what to do; empty when there should be one.
func noCode(user *v1alpha1.MFAUser, now time.Time) string {
	code := user.Status.Code
	another := fmt.Sprintf("kubectl mfa issue %s -n %s --purpose … asks for another", user.Name, user.Namespace)
	condition := ready(user.Status.Conditions)
	switch {
	case user.Status.AccountID == "":
		return fmt.Sprintf("%s has no account yet: %s: %s", user.Name, condition.Reason, condition.Message)
	case code == nil:
		return fmt.Sprintf("no code was asked for, as for accounts that are taken over; %s", another)
	case code.Delivery == v1alpha1.DeliveryEmail && code.Phase == v1alpha1.CodeActive && code.EmailedAt == nil:
		return "the link is about to be mailed by the service; it is nowhere in the cluster"
	case code.Delivery == v1alpha1.DeliveryEmail && code.Phase == v1alpha1.CodeActive:
		return fmt.Sprintf("the link was mailed by the service %s; it is nowhere in the cluster", until(code.EmailedAt, now))
	}
	switch code.Phase {
	case v1alpha1.CodeActive, v1alpha1.CodeInactivePhase:
		return ""
	case v1alpha1.CodeIssuing:
		return "the code has been asked for and is not there yet; try again in a moment"
	case v1alpha1.CodeUsed:
		return "the person used the code; " + another
	case v1alpha1.CodeExpired:
		return fmt.Sprintf("the code ran out unused %s; %s", until(code.ExpiresAt, now), another)
	case v1alpha1.CodeSuperseded:
		return "a newer code, made outside of this operator or not answered, cancelled this one; " + another
	case v1alpha1.CodeLost:
		return "the Secret with the code was deleted, and is not filled again; " + another
	case v1alpha1.CodeRefused:
		if refusal := user.Status.CodeRefusal; refusal != nil {
			return "the code was refused: " + refusal.Message
		}
	}
	return fmt.Sprintf("there is no code: its phase is %s; %s", code.Phase, another)
}

// readCode reads the code from its Secret, which must look as the operator makes it: nobody should be sent to a link from
// elsewhere by mistake. Who may write Secrets can forge that, and is kept from playing with the terminal.
func readCode(ctx context.Context, c client.Client, user *v1alpha1.MFAUser, now time.Time) (*liveCode, error) {
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: user.Namespace, Name: user.CodeSecretName()}
	if err := c.Get(ctx, key, &secret); err != nil {
		return nil, explain(err, "read the Secret "+key.String(), "somebody has deleted it, and a code is not filled in again; kubectl mfa issue asks for another")
	}
	owner := metav1.GetControllerOf(&secret)
	switch {
	case secret.Type != v1alpha1.SecretType:
		return nil, fmt.Errorf("the Secret %s was not made by the operator: its type is %s and not %s; it is not shown", key, secret.Type, v1alpha1.SecretType)
	case owner == nil || owner.UID != user.UID:
		return nil, fmt.Errorf("the Secret %s was not made for this MFAUser: it has another owner; it is not shown", key)
	}
	live := &liveCode{
		code:    mfaclient.NewCode(string(secret.Data[v1alpha1.KeyCode])),
		link:    mfaclient.NewCode(string(secret.Data[v1alpha1.KeyLink])),
		purpose: string(secret.Data[v1alpha1.KeyPurpose]), phase: user.Status.Code.Phase,
	}
	live.expiresAt, _ = time.Parse(time.RFC3339, string(secret.Data[v1alpha1.KeyExpiresAt]))
	switch {
	case !printable(live.code) || !printable(live.link):
		return nil, fmt.Errorf("the Secret %s holds what is no code: there are characters in it that can't be printed; it is not shown", key)
	case live.best().IsZero():
		return nil, fmt.Errorf("the Secret %s holds no code any more: it was used, replaced or ran out a moment ago; see kubectl mfa status", key)
	case !live.expiresAt.IsZero() && !live.expiresAt.After(now):
		return nil, fmt.Errorf("the code ran out %s ago; kubectl mfa issue asks for another", duration.HumanDuration(now.Sub(live.expiresAt)))
	}
	return live, nil
}
