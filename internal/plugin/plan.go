package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/plan"
)

// planner is one run of kubectl mfa plan.
type planner struct {
	*session
	remote        remoteFlags
	files         genericclioptions.FileNameFlags
	allNamespaces bool
	deletion      bool
	prune         bool
	output        string
}

func newPlan(s *session) *cobra.Command {
	p := &planner{session: s, files: genericclioptions.FileNameFlags{
		Usage: "Files, folders or addresses with manifests; - is standard input", Filenames: &[]string{}, Kustomize: new(""), Recursive: new(false),
	}}
	cmd := &cobra.Command{
		Use:   "plan [USER...]",
		Short: "Say what the operator would change in the service, without changing it",
		Long: "Say what the operator would change in the service for the MFAUsers of the cluster, or for manifests: create, update with the\n" +
			"values before and after, block, delete, issue a code, or nothing. It reads the service with the connection's own token and goes\n" +
			"by the operator's own rules. Manifests are completed and checked by the API server, by a dry run.\n\n" +
			"Exit code: 0 when nothing would change, 1 when something would, above 1 for trouble, as with kubectl diff: 2 when there is no\n" +
			"plan, 3 when there is one and the operator would refuse something in it.",
		Example: examples(`
			# What is about to happen in this namespace
			kubectl mfa plan
			# What a branch would change, in CI, those that it takes out among them
			kubectl mfa plan -f users/ -R --prune
			kustomize build overlays/prod | kubectl mfa plan -f -
			# What deleting two users would do
			kubectl mfa plan alice bob --delete`),
		Annotations:       map[string]string{annotationDiff: "true"},
		ValidArgsFunction: s.users(),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	p.files.AddFlags(flags)
	p.remote.register(flags)
	flags.BoolVarP(&p.allNamespaces, "all-namespaces", "A", false, "The MFAUsers of all namespaces")
	flags.BoolVar(&p.deletion, "delete", false, "What deleting the MFAUsers would do")
	flags.BoolVar(&p.prune, "prune", false, "Take MFAUsers that no manifest names for deleted, in the namespaces of the manifests")
	outputFlag(cmd, &p.output, "json", "yaml")
	return cmd
}

func (p *planner) run(ctx context.Context, names []string) error {
	c, namespace, err := p.start()
	if err != nil {
		return err
	}
	everyone, err := p.everyone(ctx, c, namespace)
	if err != nil {
		return err
	}
	users, err := p.wanted(ctx, c, namespace, names, everyone)
	if err != nil {
		return err
	}
	if p.deletion {
		p.delete(users)
	}
	if p.given() {
		left := leftOut(everyone, users)
		if p.prune {
			p.delete(left)
			users = append(users, left...)
		} else if len(left) > 0 {
			fmt.Fprintf(p.ErrOut, "MFAUsers of these namespaces that no manifest names, and a tool that prunes would delete: %d; --prune plans for that\n", len(left))
		}
	}
	services := &services{planner: p, cluster: c, others: without(everyone, users), byKey: map[client.ObjectKey]*plan.Service{}}
	services.everyone = slices.Concat(users, services.others)
	report, err := services.report(ctx, users)
	if err != nil {
		return err
	}
	if err := p.print(report); err != nil {
		return err
	}
	switch {
	case report.refuses():
		return &exitError{code: exitRefused}
	case report.changes() > 0:
		return &exitError{code: 1}
	}
	return nil
}

// everyone returns all MFAUsers that the caller may see: one in another namespace may own a login.
func (p *planner) everyone(ctx context.Context, c client.Client, namespace string) ([]v1alpha1.MFAUser, error) {
	users, err := listUsers(ctx, c, "")
	if err == nil || p.allNamespaces {
		return users, err
	}
	users, err = listUsers(ctx, c, namespace)
	if err == nil {
		fmt.Fprintf(p.ErrOut, "you may not list MFAUsers of all namespaces: whether one in another than %s owns a login is not seen\n", namespace)
	}
	return users, err
}

// wanted returns the users to plan for: of manifests, of names, or all of the namespace.
func (p *planner) wanted(ctx context.Context, c client.Client, namespace string, names []string, everyone []v1alpha1.MFAUser) ([]v1alpha1.MFAUser, error) {
	switch {
	case p.given() && len(names) > 0:
		return nil, errors.New("name users or give manifests, not both")
	case p.given():
		return p.manifests(ctx, c, namespace, p.files.ToOptions())
	case p.prune:
		return nil, errors.New("--prune goes with manifests: give them with -f or -k")
	case len(names) > 0 && p.allNamespaces:
		return nil, errors.New("names are of one namespace; leave out --all-namespaces")
	}
	var users []v1alpha1.MFAUser
	for n := range everyone {
		user := &everyone[n]
		if p.allNamespaces || user.Namespace == namespace && (len(names) == 0 || slices.Contains(names, user.Name)) {
			users = append(users, *user.DeepCopy())
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(users, func(u v1alpha1.MFAUser) bool { return u.Name == name }) {
			return nil, fmt.Errorf("there is no MFAUser %s in the namespace %s", name, namespace)
		}
	}
	return users, nil
}

// given tells whether the plan is for manifests.
func (p *planner) given() bool {
	files := p.files.ToOptions()
	return len(files.Filenames) > 0 || files.Kustomize != ""
}

// delete makes users look as if their deletion had been asked for.
func (p *planner) delete(users []v1alpha1.MFAUser) {
	for n := range users {
		users[n].DeletionTimestamp = &metav1.Time{Time: p.Clock.Now()}
	}
}

// leftOut returns the MFAUsers in the namespaces of the manifests that none of them names: what a tool that prunes would delete.
func leftOut(everyone, manifests []v1alpha1.MFAUser) (left []v1alpha1.MFAUser) {
	for _, user := range without(everyone, manifests) {
		sameNamespace := func(manifest v1alpha1.MFAUser) bool { return manifest.Namespace == user.Namespace }
		if user.DeletionTimestamp.IsZero() && slices.ContainsFunc(manifests, sameNamespace) {
			left = append(left, *user.DeepCopy())
		}
	}
	return left
}

// without returns those of everyone that the plan is not about.
func without(everyone, planned []v1alpha1.MFAUser) (others []v1alpha1.MFAUser) {
	seen := map[client.ObjectKey]bool{}
	for n := range planned {
		seen[client.ObjectKeyFromObject(&planned[n])] = true
	}
	for n := range everyone {
		if !seen[client.ObjectKeyFromObject(&everyone[n])] {
			others = append(others, everyone[n])
		}
	}
	return others
}

// outputFlag adds -o with the formats of a command.
func outputFlag(cmd *cobra.Command, into *string, formats ...string) {
	cmd.Flags().StringVarP(into, "output", "o", "", "Output format: "+strings.Join(formats, ", "))
	oneOf(cmd, "output", formats...)
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if *into != "" && !slices.Contains(formats, *into) {
			return fmt.Errorf("--output: there is no format %q; there are %s", *into, strings.Join(formats, ", "))
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}
