package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/version"

	"github.com/trustbuilder-mfa/operator/internal/doctor"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// examiner is one run of kubectl mfa doctor.
type examiner struct {
	*session
	remote        remoteFlags
	allNamespaces bool
	output        string
}

func newDoctor(s *session) *cobra.Command {
	e := &examiner{session: s}
	cmd := &cobra.Command{
		Use:   "doctor [CONNECTION]",
		Short: "Look for what is wrong, and say what to do",
		Long: "Look at the cluster, the CRDs, the manager and its lease, your rights, and each connection: its token, certificates, whether the\n" +
			"service answers from here, and what the operator says. Each line is OK, WARN or FAIL, the latter two with what to do.\n\n" +
			"Exit code: 1 when something fails.",
		Example: examples(`
			kubectl mfa doctor -A
			kubectl mfa doctor production -n mfa-system -o json`),
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: s.connections(),
		RunE:              func(cmd *cobra.Command, args []string) error { return e.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	e.remote.register(flags)
	flags.BoolVarP(&e.allNamespaces, "all-namespaces", "A", false, "The connections of all namespaces")
	outputFlag(cmd, &e.output, "json", "yaml")
	return cmd
}

func (e *examiner) run(ctx context.Context, args []string) error {
	d, err := e.doctor(args)
	if err != nil {
		return err
	}
	checks := d.Examine(ctx)
	if err := e.print(checks); err != nil {
		return err
	}
	for _, check := range checks {
		if check.Level == doctor.Fail {
			return &exitError{code: 1}
		}
	}
	return nil
}

func (e *examiner) doctor(args []string) (*doctor.Doctor, error) {
	c, namespace, err := e.start()
	if err != nil {
		return nil, err
	}
	routes, err := mfaclient.RoutesWith(e.remote.overrides)
	if err != nil {
		return nil, err
	}
	d := &doctor.Doctor{
		Client: c, Clock: e.Clock, Version: e.Version, Namespace: namespace, AllNamespaces: e.allNamespaces, Routes: routes,
		ServerVersion: func() (*version.Info, error) {
			discovery, err := e.config.ToDiscoveryClient()
			if err != nil {
				return nil, err
			}
			return discovery.ServerVersion()
		},
	}
	if len(args) > 0 {
		d.Connection = args[0]
	}
	if e.remote.tokenFile == "" {
		return d, nil
	}
	if len(args) == 0 { // whoever made one of the others has said where its calls go
		return nil, errors.New("--token-file holds the token of one connection; name it: kubectl mfa doctor CONNECTION -n NAMESPACE")
	}
	raw, err := os.ReadFile(e.remote.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	token, err := mfaclient.NewToken(raw)
	if err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	d.Token = &token
	return d, nil
}

func (e *examiner) print(checks []doctor.Check) error {
	if e.output != "" {
		return printAs(e.Out, e.output, map[string]any{"checks": checks})
	}
	counts := map[doctor.Level]int{}
	for _, check := range checks {
		counts[check.Level]++
		fmt.Fprintf(e.Out, "%-4s  %s: %s\n", check.Level, check.About, check.What)
		if check.Do != "" {
			fmt.Fprintf(e.Out, "      %s\n", check.Do)
		}
	}
	fmt.Fprintf(e.Out, "\n%d OK, %d WARN, %d FAIL\n", counts[doctor.OK], counts[doctor.Warn], counts[doctor.Fail])
	return nil
}
