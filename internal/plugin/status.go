package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// statusView is one run of kubectl mfa status.
type statusView struct {
	*session
	allNamespaces, problems bool
	selector, connection    string
	states, reasons         []string
	output                  string
}

func newStatus(s *session) *cobra.Command {
	v := &statusView{session: s}
	cmd := &cobra.Command{
		Use:   "status [USER...]",
		Short: "Show how people's accounts stand, problems first",
		Long: "Show how the accounts of MFAUsers stand: whether the operator has done what the manifest asks (READY), how far the person\n" +
			"has come (STATE), and what became of the newest code (CODE). Those that need somebody come first; counts come last.",
		Example: examples(`
			kubectl mfa status -A
			kubectl mfa status -A --problems -o wide
			kubectl mfa status -n team-a --state PendingActivation,Expired
			kubectl mfa status -A -o json | jq '.users[] | select(.code == "Expired") | .login'`),
		ValidArgsFunction: s.users(),
		RunE:              func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	flags.BoolVarP(&v.allNamespaces, "all-namespaces", "A", false, "The MFAUsers of all namespaces")
	flags.BoolVar(&v.problems, "problems", false, "Only those that are not ready, differ, or whose code is of no use any more")
	flags.StringVarP(&v.selector, "selector", "l", "", "Only those with these labels")
	flags.StringVar(&v.connection, "connection", "", "Only those of this connection, as NAME or NAMESPACE/NAME")
	flags.StringSliceVar(&v.states, "state", nil, "Only those in one of these states")
	flags.StringSliceVar(&v.reasons, "reason", nil, "Only those whose Ready has one of these reasons")
	oneOf(cmd, "state", stateNames()...)
	outputFlag(cmd, &v.output, "wide", "json", "yaml")
	return cmd
}

func (v *statusView) run(ctx context.Context, names []string) error {
	selector, err := labels.Parse(v.selector)
	if err != nil {
		return fmt.Errorf("--selector: %w", err)
	}
	c, namespace, err := v.start()
	if err != nil {
		return err
	}
	if v.allNamespaces {
		namespace = ""
	}
	users, err := listUsers(ctx, c, namespace, client.MatchingLabelsSelector{Selector: selector})
	if err != nil {
		return err
	}
	report := newStatusReport(slices.DeleteFunc(users, func(u v1alpha1.MFAUser) bool { return !v.wants(&u, names) }))
	if v.output == "json" || v.output == "yaml" {
		return printAs(v.Out, v.output, report)
	}
	if len(report.Users) == 0 {
		fmt.Fprintln(v.ErrOut, "No MFAUsers found"+where(namespace)+".")
		return nil
	}
	return v.table(report)
}

func where(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in the namespace " + namespace
}

func (v *statusView) wants(user *v1alpha1.MFAUser, names []string) bool {
	is := func(wanted []string, value string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, value) })
	}
	connection := user.Spec.ConnectionRef.Name
	if strings.Contains(v.connection, "/") {
		connection = user.ConnectionNamespace() + "/" + connection
	}
	return (len(names) == 0 || slices.Contains(names, user.Name)) &&
		(v.connection == "" || v.connection == connection) &&
		is(v.states, string(user.Status.State)) &&
		is(v.reasons, ready(user.Status.Conditions).Reason) &&
		(!v.problems || urgency(user) < settled)
}

// statusReport is what -o json and -o yaml give.
type statusReport struct {
	Users  []userStatus `json:"users"`
	Counts statusCounts `json:"counts"`
}

type userStatus struct {
	Namespace     string       `json:"namespace"`
	Name          string       `json:"name"`
	Login         string       `json:"login"`
	Connection    string       `json:"connection"`
	AccountID     string       `json:"accountID,omitempty"`
	State         string       `json:"state,omitempty"`
	Code          string       `json:"code,omitempty"`
	CodeExpiresAt *metav1.Time `json:"codeExpiresAt,omitempty"`
	Ready         string       `json:"ready"`
	Reason        string       `json:"reason,omitempty"`
	Message       string       `json:"message,omitempty"`
	Pending       []string     `json:"pendingChanges,omitempty"`
	Created       metav1.Time  `json:"created"`
}

type statusCounts struct {
	Total  int            `json:"total"`
	Ready  int            `json:"ready"`
	States map[string]int `json:"states"`
	Codes  map[string]int `json:"codes"`
	// Reasons of those that are not ready.
	Reasons map[string]int `json:"reasons"`
}

func newStatusReport(users []v1alpha1.MFAUser) *statusReport {
	slices.SortStableFunc(users, func(a, b v1alpha1.MFAUser) int {
		return cmp.Or(cmp.Compare(urgency(&a), urgency(&b)), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	report := &statusReport{Users: []userStatus{}, Counts: statusCounts{States: map[string]int{}, Codes: map[string]int{}, Reasons: map[string]int{}}}
	for n := range users {
		report.add(&users[n])
	}
	return report
}

func (r *statusReport) add(user *v1alpha1.MFAUser) {
	condition := ready(user.Status.Conditions)
	row := userStatus{
		Namespace: user.Namespace, Name: user.Name, Login: user.Spec.Login,
		Connection: user.ConnectionNamespace() + "/" + user.Spec.ConnectionRef.Name,
		AccountID:  user.Status.AccountID, State: string(user.Status.State),
		Ready: string(condition.Status), Reason: condition.Reason, Message: condition.Message,
		Pending: user.Status.PendingChanges, Created: user.CreationTimestamp,
	}
	counts := &r.Counts
	counts.Total++
	counts.States[cmp.Or(row.State, "none")]++
	if code := user.Status.Code; code != nil {
		row.Code, row.CodeExpiresAt = string(code.Phase), code.ExpiresAt
		counts.Codes[row.Code]++
	}
	if condition.Status == metav1.ConditionTrue {
		counts.Ready++
	} else {
		counts.Reasons[cmp.Or(row.Reason, "Unknown")]++
	}
	r.Users = append(r.Users, row)
}

// ready is the condition Ready; one that nobody has written yet is Unknown.
func ready(conditions []metav1.Condition) metav1.Condition {
	if condition := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); condition != nil {
		return *condition
	}
	return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown}
}

// How much an MFAUser needs somebody, the most first.
const (
	stalled = iota
	underWay
	differs
	codeless
	settled
)

func urgency(user *v1alpha1.MFAUser) int {
	condition := ready(user.Status.Conditions)
	switch {
	case meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled):
		return stalled
	case condition.Status != metav1.ConditionTrue:
		return underWay
	case len(user.Status.PendingChanges) > 0:
		return differs
	case user.Status.Code != nil && slices.Contains(uselessPhases, user.Status.Code.Phase):
		return codeless
	}
	return settled
}

// uselessPhases are those of a code that the person may wait for and does not get.
var uselessPhases = []v1alpha1.CodePhase{v1alpha1.CodeExpired, v1alpha1.CodeLost, v1alpha1.CodeRefused}
