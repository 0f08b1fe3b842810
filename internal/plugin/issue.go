package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// issuer is one run of kubectl mfa issue.
type issuer struct {
	*session
	waiting
	purpose string
	force   bool
}

func newIssue(s *session) *cobra.Command {
	i := &issuer{session: s}
	cmd := &cobra.Command{
		Use:   "issue USER --purpose PURPOSE",
		Short: "Ask for another code for a person, and say what came of it",
		Long: "Ask the operator for a code by the annotation issue-code, once, and say what came of it. The form of the code and the way to\n" +
			"the person are those of spec.code. It cancels the code before it.\n\n" +
			"  Enrollment  first device of an account that has none yet, or whose code ran out\n" +
			"  AddDevice   one more device\n" +
			"  Unlock      a new PIN after too many wrong ones\n" +
			"  Restore     every device is lost: using it deletes all others\n" +
			"  PINErrors   no code; the service forgets wrong PINs",
		Example: examples(`
			kubectl mfa issue alice -n team-a --purpose Restore && kubectl mfa code alice -n team-a
			kubectl mfa issue bob --purpose Unlock --wait=false`),
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.users(),
		RunE:              func(cmd *cobra.Command, args []string) error { return i.run(cmd.Context(), args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&i.purpose, "purpose", "", "What the code is for: "+strings.Join(purposes(), ", "))
	flags.BoolVar(&i.force, "force", false, "Ask although the status speaks against it; that may be an interval old, and the operator looks afresh")
	i.waiting.register(flags)
	_ = cmd.MarkFlagRequired("purpose") // it is there
	oneOf(cmd, "purpose", purposes()...)
	return cmd
}

func purposes() []string {
	names := make([]string, 0, len(rules.PurposesByHand))
	for _, purpose := range rules.PurposesByHand {
		names = append(names, string(purpose))
	}
	return names
}

func (i *issuer) run(ctx context.Context, name string) error {
	n := slices.IndexFunc(purposes(), func(known string) bool { return strings.EqualFold(known, i.purpose) })
	if n < 0 {
		return fmt.Errorf("--purpose: there is no purpose %q; there are %s", i.purpose, strings.Join(purposes(), ", "))
	}
	purpose := rules.PurposesByHand[n]
	c, namespace, err := i.start()
	if err != nil {
		return err
	}
	user, err := getUser(ctx, c, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	if why := unfit(user, purpose); why != "" && !i.force {
		return fmt.Errorf("%s; nothing was asked for. --force asks all the same", why)
	}
	request := string(purpose) + "/" + i.freshToken()
	before := ready(user.Status.Conditions)
	if err := annotate(ctx, c, user, v1alpha1.AnnotationIssueCode, request); err != nil {
		return err
	}
	if !i.wait {
		fmt.Fprintf(i.Out, "asked for: %s\n", request)
		return nil
	}
	return i.await(ctx, c, user, purpose, request, before)
}

// unfit says why a request can be seen to be of no use; empty when it may be of use.
func unfit(user *v1alpha1.MFAUser, purpose v1alpha1.CodePurpose) string {
	condition := ready(user.Status.Conditions)
	stalled := meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled) && condition.Reason != v1alpha1.ReasonCodeRefused
	switch {
	case !user.DeletionTimestamp.IsZero():
		return "the MFAUser is being deleted"
	case user.Spec.Suspend:
		return "the MFAUser is suspended, and gets no code until spec.suspend is false"
	case user.Spec.ManagementPolicy == v1alpha1.ManagementObserve:
		return "the operator only observes this account; set spec.managementPolicy: Full to have codes issued"
	case user.Status.AccountID == "":
		return fmt.Sprintf("there is no account yet: %s: %s", condition.Reason, condition.Message)
	case stalled:
		return fmt.Sprintf("the MFAUser needs somebody first: %s: %s", condition.Reason, condition.Message)
	}
	return rules.UnfitState(purpose, user.Status.State)
}

// await waits for what comes of the request.
func (i *issuer) await(ctx context.Context, c client.Client, user *v1alpha1.MFAUser, purpose v1alpha1.CodePurpose, request string, before metav1.Condition) error {
	_, token, _ := strings.Cut(request, "/")
	name := "annotation/" + token
	held := errors.New("held")
	err := i.until(ctx, func(ctx context.Context) (bool, error) {
		fresh, err := getUser(ctx, c, client.ObjectKeyFromObject(user))
		if err != nil {
			return false, err
		}
		user = fresh
		status := &user.Status
		if slices.Contains(status.HandledIssueCodes, request) {
			return status.Code == nil || status.Code.Pending == nil, nil
		}
		if holdsBack(user, before) {
			return false, held
		}
		return false, nil
	}, func() string { return readyText(user) })
	switch {
	case errors.Is(err, held):
		return fmt.Errorf("the request waits, and is dealt with once that is over: %s", readyText(user))
	case err != nil:
		return err
	}
	return i.tell(user, purpose, name)
}

// holdsBack tells whether something new keeps the operator from dealing with the request.
func holdsBack(user *v1alpha1.MFAUser, before metav1.Condition) bool {
	now := ready(user.Status.Conditions)
	stalled := meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled)
	return (stalled || now.Reason == v1alpha1.ReasonCodeLimitReached) && now.Reason != before.Reason
}

func readyText(user *v1alpha1.MFAUser) string {
	condition := ready(user.Status.Conditions)
	if condition.Reason == "" {
		return "the operator has not looked at it yet"
	}
	return condition.Reason + ": " + condition.Message
}

// tell says what came of a request that was dealt with.
func (i *issuer) tell(user *v1alpha1.MFAUser, purpose v1alpha1.CodePurpose, name string) error {
	code, refusal := user.Status.Code, user.Status.CodeRefusal
	switch {
	case refusal != nil && refusal.Request == name:
		return fmt.Errorf("refused: %s", refusal.Message)
	case purpose == rules.PurposePINErrors:
		fmt.Fprintf(i.Out, "the service has forgotten the wrong PINs of %s; the account is %s\n", user.Spec.Login, user.Status.State)
		return nil
	case code == nil || code.Request != name:
		return errors.New("the request was dealt with, and another has taken its place since; see kubectl mfa status")
	}
	fmt.Fprintf(i.Out, "issued a code for %s to %s", purpose, user.Spec.Login)
	if code.ExpiresAt != nil {
		fmt.Fprintf(i.Out, ", which runs out in %s", duration.HumanDuration(code.ExpiresAt.Sub(i.Clock.Now())))
	}
	fmt.Fprintln(i.Out)
	if code.Delivery != v1alpha1.DeliverySecret && code.Delivery != "" {
		fmt.Fprintln(i.Out, "the service mails the link to the person")
	}
	if code.SecretRef != nil {
		fmt.Fprintf(i.Out, "it is in the Secret %s; kubectl mfa code %s -n %s shows it\n", code.SecretRef.Name, user.Name, user.Namespace)
	}
	return nil
}
