package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
)

// Options are what the program gives the commands.
type Options struct {
	genericiooptions.IOStreams
	Clock   clock.PassiveClock
	Version string
	// Args of the process, its own name first.
	Args []string
}

// completionName is the name by which kubectl calls a plugin to complete its words.
const completionName = "kubectl_complete-mfa"

// Run runs the command that the arguments name and returns the exit code of the process.
func Run(ctx context.Context, o Options) int {
	root := newRoot(o)
	root.SetArgs(words(o.Args))
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := 1
	if exit, ok := errors.AsType[*exitError](err); ok {
		code = exit.code
	} else if ran.Annotations[annotationDiff] != "" {
		code = exitTrouble
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(o.ErrOut, "error:", text)
	}
	return code
}

// words are the arguments of a process without its name. Under the name for completion they are words to complete.
func words(args []string) []string {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if name == completionName {
		return append([]string{cobra.ShellCompRequestCmd}, args[1:]...)
	}
	return args[1:]
}

func newRoot(o Options) *cobra.Command {
	s := newSession(o)
	root := &cobra.Command{
		Use:   "kubectl-mfa",
		Short: "See, plan and check TrustBuilder MFA accounts that are kept as MFAUsers",
		Long: "kubectl mfa shows how people's MFA accounts stand, says what the operator would change, makes manifests of accounts that\n" +
			"exist already, hands out codes, and looks for what is wrong. It acts with your own rights in the cluster.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl mfa"},
		Version:       o.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(o.In)
	root.SetOut(o.Out)
	root.SetErr(o.ErrOut)
	s.config.AddFlags(root.PersistentFlags())
	root.PersistentFlags().VarP(new(verbosity), "v", "v", fmt.Sprintf("Number for the log level verbosity, at most %d: beyond it the bodies of Secrets would be written", mostVerbose))
	s.completeNamespaces(root)
	root.AddCommand(
		newStatus(s), newCode(s), newIssue(s), newPlan(s), newExport(s), newReconcile(s), newApprove(s), newDoctor(s),
	)
	return root
}

// examples indents a block of examples as cobra's help expects it.
func examples(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for n := range lines {
		lines[n] = "  " + strings.TrimSpace(lines[n])
	}
	return strings.Join(lines, "\n")
}

// exitError ends the process with a code of its own. Without an error inside nothing is said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

const (
	// annotationDiff marks a command with the exit codes of diff: 0 no change, 1 changes, above that trouble.
	annotationDiff = "diff"
	exitTrouble    = 2
	// exitRefused is trouble that a plan tells of: it would not be carried out in full.
	exitRefused = 3
)

func newConfigFlags(streams genericiooptions.IOStreams) *genericclioptions.ConfigFlags {
	return genericclioptions.NewConfigFlags(true).WithWarningPrinter(streams)
}
