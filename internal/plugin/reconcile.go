package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// reconciler is one run of kubectl mfa reconcile.
type reconciler struct {
	*session
	waiting
}

// connectionPrefixes begin the name of a connection where a user's is expected else.
var connectionPrefixes = []string{"connection/", "mfaconnection/", "mfaconn/"}

func newReconcile(s *session) *cobra.Command {
	r := &reconciler{session: s}
	cmd := &cobra.Command{
		Use:   "reconcile USER|connection/CONNECTION",
		Short: "Have the operator look afresh at a user or a connection",
		Long: "Have the operator make one pass over an MFAUser, or over an MFAConnection and its listing, against the service as it is now. It\n" +
			"gives a field that the service did not keep another three tries. It ends well when that leaves it ready.",
		Example: examples(`
			kubectl mfa reconcile alice -n team-a
			kubectl mfa reconcile connection/production -n mfa-system`),
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.users(),
		RunE:              func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args[0]) },
	}
	r.waiting.register(cmd.Flags())
	return cmd
}

func (r *reconciler) run(ctx context.Context, name string) error {
	c, namespace, err := r.start()
	if err != nil {
		return err
	}
	name = strings.TrimPrefix(name, "mfauser/")
	for _, prefix := range connectionPrefixes {
		if connection, ok := strings.CutPrefix(name, prefix); ok {
			conn, err := getConnection(ctx, c, client.ObjectKey{Namespace: namespace, Name: connection})
			if err != nil {
				return err
			}
			return r.look(ctx, c, conn)
		}
	}
	user, err := getUser(ctx, c, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	if user.Spec.Suspend {
		return errors.New("the MFAUser is suspended, and is not looked at until spec.suspend is false")
	}
	return r.look(ctx, c, user)
}

func (r *reconciler) look(ctx context.Context, c client.Client, object client.Object) error {
	request := r.freshToken()
	if err := annotate(ctx, c, object, v1alpha1.AnnotationReconcileRequestedAt, request); err != nil {
		return err
	}
	if !r.wait {
		fmt.Fprintln(r.Out, "asked for")
		return nil
	}
	var conditions []metav1.Condition
	text := func() string {
		condition := ready(conditions)
		return fmt.Sprintf("Ready is %s, %s: %s", condition.Status, condition.Reason, condition.Message)
	}
	err := r.until(ctx, func(ctx context.Context) (bool, error) {
		if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return false, explain(err, "read it again", "it has just been deleted")
		}
		handled := ""
		switch object := object.(type) {
		case *v1alpha1.MFAUser:
			handled, conditions = object.Status.HandledReconcileRequest, object.Status.Conditions
		case *v1alpha1.MFAConnection:
			handled, conditions = object.Status.HandledReconcileRequest, object.Status.Conditions
		}
		return handled == request, nil
	}, text)
	if err != nil {
		return err
	}
	if ready(conditions).Status != metav1.ConditionTrue {
		return errors.New(text())
	}
	fmt.Fprintln(r.Out, text())
	return nil
}
