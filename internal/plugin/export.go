package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/export"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// exporter is one run of kubectl mfa export.
type exporter struct {
	*session
	remote                   remoteFlags
	url, caFile              string
	toNamespace, outputDir   string
	logins, states, roles    []string
	groups                   []string
	withGroups, privileged   bool
	includeManaged, override bool
}

func newExport(s *session) *cobra.Command {
	e := &exporter{session: s}
	cmd := &cobra.Command{
		Use:   "export CONNECTION",
		Short: "Write existing accounts of a service as MFAUser manifests",
		Long: "Write the accounts of a connection's service as MFAUser manifests that change nothing: they observe (managementPolicy: Observe)\n" +
			"and take the account over (adoptionPolicy: IfExists), where the connection's policy.adoption is Allow. Once applied,\n" +
			"managementPolicy: Full lets the operator keep an account as its manifest says.\n\n" +
			"Names depend on the login alone and the order on the names, so that an export can be compared with the one before. No code is\n" +
			"ever in the output. Accounts that an MFAUser holds already, that the connection's policy does not allow, or whose role it does\n" +
			"not list are left out, and counted on standard error.",
		Example: examples(`
			# What is there, to look at
			kubectl mfa export production -n mfa-system
			# The staff's accounts, one file each, for Git
			kubectl mfa export production -n mfa-system --to-namespace team-a --login '*@example.com' --output-dir users/
			# Those who never enrolled
			kubectl mfa export production -n mfa-system --state PendingActivation,Expired
			# Before the operator is installed
			kubectl mfa export production --url https://kiwi.myinwebo.com --token-file token.txt`),
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.connections(),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.run(cmd.Context(), args[0]) },
	}
	e.register(cmd)
	return cmd
}

func (e *exporter) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	e.remote.register(flags)
	flags.StringVar(&e.url, "url", "", "The service's address, in place of a connection in the cluster; needs --token-file")
	flags.StringVar(&e.caFile, "ca-file", "", "A file with PEM certificates to trust, with --url")
	flags.StringVar(&e.toNamespace, "to-namespace", "", "The namespace of the MFAUsers (default: the connection's)")
	flags.StringVar(&e.outputDir, "output-dir", "", "A folder for one file per MFAUser, in place of standard output")
	flags.BoolVar(&e.override, "overwrite", false, "Replace files of --output-dir that are there and differ")
	flags.StringSliceVar(&e.logins, "login", nil, "Only logins that match one of these patterns, * for any characters")
	flags.StringSliceVar(&e.states, "state", nil, "Only accounts in one of these states")
	flags.StringSliceVar(&e.roles, "role", nil, "Only accounts with one of these roles")
	flags.StringSliceVar(&e.groups, "group", nil, "Only members of a group that matches one of these patterns; one more call per account")
	flags.BoolVar(&e.withGroups, "with-groups", false, "State the accounts' groups too; one more call per account")
	flags.BoolVar(&e.privileged, "include-privileged", false, "Also accounts whose role the connection's policy.roles does not list")
	flags.BoolVar(&e.includeManaged, "include-managed", false, "Also accounts that an MFAUser holds already")
	oneOf(cmd, "state", stateNames()...)
	oneOf(cmd, "role", string(v1alpha1.RoleUser), string(v1alpha1.RoleManager), string(v1alpha1.RoleAdministrator))
}

func (e *exporter) run(ctx context.Context, name string) error {
	selection, err := e.selection()
	if err != nil {
		return err
	}
	c, conn, err := e.connection(ctx, name)
	if err != nil {
		return err
	}
	remote, err := e.open(ctx, c, conn, e.remote)
	if err != nil {
		return err
	}
	selection.Connection = conn
	target := export.Target{Namespace: e.toNamespace, Connection: conn}
	if target.Namespace == "" {
		target.Namespace = conn.Namespace
	}
	if selection.Held, err = e.held(ctx, c, conn, target.Namespace); err != nil {
		return err
	}
	picture, err := remote.list(ctx, e.session)
	if err != nil {
		return err
	}
	picked := selection.Pick(picture.Accounts())
	entries, err := e.entries(ctx, remote, picked)
	if err != nil {
		return err
	}
	if err := e.write(target, entries); err != nil {
		return err
	}
	for _, note := range selection.Notes() {
		fmt.Fprintln(e.ErrOut, note)
	}
	e.warn(ctx, c, conn, target.Namespace)
	return nil
}

// selection reads the flags that say which accounts are wanted.
func (e *exporter) selection() (*export.Selection, error) {
	s := &export.Selection{Filter: export.Filter{Logins: e.logins}, Privileged: e.privileged}
	for _, state := range e.states {
		n := slices.IndexFunc(stateNames(), func(known string) bool { return strings.EqualFold(known, state) })
		if n < 0 {
			return nil, fmt.Errorf("--state: there is no state %q; there are %s", state, strings.Join(stateNames(), ", "))
		}
		s.Filter.States = append(s.Filter.States, v1alpha1.AccountState(stateNames()[n]))
	}
	for _, role := range e.roles {
		remote := mfaclient.Role(role) // a role of the tenant's own
		for _, known := range []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager, v1alpha1.RoleAdministrator} {
			if strings.EqualFold(role, string(known)) {
				remote = rules.RemoteRole(known)
			}
		}
		s.Filter.Roles = append(s.Filter.Roles, remote)
	}
	return s, nil
}

func stateNames() []string {
	return []string{
		string(v1alpha1.StatePendingActivation), string(v1alpha1.StateActivated), string(v1alpha1.StateExpired),
		string(v1alpha1.StateBlocked), string(v1alpha1.StatePinBlocked), string(v1alpha1.StateUnknown),
	}
}

// held tells accounts that an MFAUser has already: by the id through this very connection, or by the login.
func (e *exporter) held(ctx context.Context, c client.Client, conn *v1alpha1.MFAConnection, namespace string) (func(mfaclient.Account) bool, error) {
	if e.includeManaged || e.url != "" {
		return nil, nil
	}
	users, err := listUsers(ctx, c, "")
	if apierrors.IsForbidden(err) {
		fmt.Fprintf(e.ErrOut, "you may not list MFAUsers of all namespaces: accounts held in others than %s are not left out\n", namespace)
		users, err = listUsers(ctx, c, namespace)
	}
	if err != nil {
		return nil, err
	}
	ids, logins := map[mfaclient.AccountID]bool{}, map[string]bool{}
	for n := range users {
		user := &users[n]
		if user.Spec.ConnectionRef.Name != conn.Name || user.ConnectionNamespace() != conn.Namespace {
			continue
		}
		logins[inventory.LoginKey(user.Spec.Login)] = true
		if user.Status.AccountID != "" {
			ids[mfaclient.AccountID(user.Status.AccountID)] = true
		}
	}
	return func(a mfaclient.Account) bool { return ids[a.ID] || logins[inventory.LoginKey(a.Login)] }, nil
}

// warn says what keeps the manifests from taking the accounts over.
func (e *exporter) warn(ctx context.Context, c client.Client, conn *v1alpha1.MFAConnection, namespace string) {
	if conn.Spec.Policy.Adoption == v1alpha1.ConnectionAdoptionDeny || conn.Spec.Policy.Adoption == "" {
		fmt.Fprintf(e.ErrOut, "the connection's policy.adoption is Deny: set it to Allow before you apply these, or they say AccountConflict\n")
	}
	if e.url != "" {
		return
	}
	allowed, err := rules.NamespaceAllowed(conn, namespace, labelsOf(ctx, c, namespace))
	switch {
	case err != nil:
		fmt.Fprintf(e.ErrOut, "whether the connection may be used from the namespace %s could not be seen\n", namespace)
	case !allowed:
		fmt.Fprintf(e.ErrOut, "the connection's allowedNamespaces does not admit the namespace %s: its MFAUsers would say NotAllowed\n", namespace)
	}
}

// sortedByName are the entries in the order of their objects' names.
func sortedByName(entries map[string]export.Entry) []string { return slices.Sorted(maps.Keys(entries)) }
