package plugin

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// mostApproved is how many removals the operator lets go by one approval.
const mostApproved = 1000

// approver is one run of kubectl mfa approve.
type approver struct {
	*session
	waiting
}

func newApprove(s *session) *cobra.Command {
	a := &approver{session: s}
	cmd := &cobra.Command{
		Use:   "approve CONNECTION NUMBER",
		Short: "Let a number of removals go that a connection's changeGuard holds",
		Long: "Let that many of the held removals go: blocks, deletes, accounts made again, and Restore codes. Look first at what is held:\n" +
			"kubectl mfa status -A --reason RemovalHeld, and the connection's condition ChangesHeld.",
		Example:           examples(`kubectl mfa approve production 12 -n mfa-system`),
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: s.connections(),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args[0], args[1]) },
	}
	a.waiting.register(cmd.Flags())
	return cmd
}

func (a *approver) run(ctx context.Context, name, number string) error {
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 1 || n > mostApproved {
		return fmt.Errorf("%q is no number of removals from 1 to %d", number, mostApproved)
	}
	c, namespace, err := a.start()
	if err != nil {
		return err
	}
	conn, err := getConnection(ctx, c, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	if !meta.IsStatusConditionTrue(conn.Status.Conditions, v1alpha1.ConditionChangesHeld) {
		return fmt.Errorf("the MFAConnection %s holds no removal; an approval given beforehand would not last", name)
	}
	fmt.Fprintln(a.Out, meta.FindStatusCondition(conn.Status.Conditions, v1alpha1.ConditionChangesHeld).Message)
	request := fmt.Sprintf("%d/%s", n, a.freshToken())
	if err := annotate(ctx, c, conn, v1alpha1.AnnotationApproveRemovals, request); err != nil {
		return err
	}
	if a.wait {
		err := a.until(ctx, func(ctx context.Context) (bool, error) {
			conn, err = getConnection(ctx, c, client.ObjectKeyFromObject(conn))
			return err == nil && conn.Status.HandledApproveRemovals == request, err
		}, func() string { return "the approval is not acted on yet" })
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(a.Out, "approved: %d\n", n)
	return nil
}
