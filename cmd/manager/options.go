package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// envPrefix begins the name of every variable of the environment that stands in for a flag.
const envPrefix = "TRUSTBUILDER_MFA_"

// versionFlag is the one flag that has no variable: it asks for something instead of setting it.
const versionFlag = "version"

// disabled as an address turns a server off.
const disabled = "0"

// options are what the manager can be told from outside.
type options struct {
	metricsAddress          string
	metricsSecure           bool
	metricsCertPath         string
	probeAddress            string
	leaderElect             bool
	leaderElectionNamespace string
	watchNamespaces         namespaceList
	apiOverrides            string
	concurrentUsers         int
	concurrentConnections   int
	showVersion             bool
	log                     zap.Options // JSON at level info unless told otherwise
}

// parseOptions reads the flags, and for each flag that is not given the environment. Help and the usage after a wrong flag
// go to out; flag.ErrHelp means that help was asked for.
func parseOptions(args []string, lookupEnv func(string) (string, bool), out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(out)
	o.register(flags)
	if err := fromEnv(flags, lookupEnv); err != nil {
		return options{}, err
	}
	o.watchNamespaces.fromEnv = true
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q: every option is a flag", flags.Arg(0))
	}
	return o, o.validate()
}

func (o *options) register(flags *flag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443",
		"The `address` that metrics are served at; 0 turns them off.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true,
		"Serve metrics by HTTPS, and only to callers whom the cluster's RBAC lets get /metrics.")
	flags.StringVar(&o.metricsCertPath, "metrics-cert-path", "",
		"The `folder` with tls.crt and tls.key for the metrics; read again when they change. Without it the manager signs its own.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081",
		"The `address` that /healthz and /readyz are served at; 0 turns them off.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false,
		"Work only while holding a lease, so that several replicas can stand by.")
	flags.StringVar(&o.leaderElectionNamespace, "leader-election-namespace", "",
		"The `namespace` of the lease. (default: the namespace of the Pod)")
	flags.Var(&o.watchNamespaces, "watch-namespaces",
		"The `namespaces` to work in, separated by commas; may be given more than once. The operator then needs no right in any other, "+
			"and none to see namespaces themselves. (default: all namespaces)")
	flags.StringVar(&o.apiOverrides, "api-overrides", "",
		"A YAML `file` with methods, paths and names of the MFA service's API that differ from the built-in table.")
	flags.IntVar(&o.concurrentUsers, "concurrent-users", 16,
		"How many MFAUsers are worked on at once.")
	flags.IntVar(&o.concurrentConnections, "concurrent-connections", 8,
		"How many MFAConnections are worked on at once.")
	flags.BoolVar(&o.showVersion, versionFlag, false, "Print the version and exit.")
	o.log.BindFlags(flags)
	config.RegisterFlags(flags) // --kubeconfig
	flags.VisitAll(func(f *flag.Flag) {
		if f.Name != versionFlag {
			f.Usage += " [" + envName(f.Name) + "]"
		}
	})
	flags.Usage = func() { usage(flags) }
}

func usage(flags *flag.FlagSet) {
	fmt.Fprint(flags.Output(), "manager keeps the accounts of TrustBuilder MFA services as the MFAUsers of a cluster say.\n\n"+
		"A flag that is not given is taken from the variable in brackets.\n\nFlags:\n")
	flags.PrintDefaults()
}

// fromEnv sets flags before they are parsed: what the command line says comes later and wins.
func fromEnv(flags *flag.FlagSet, lookupEnv func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *flag.Flag) {
		name := envName(f.Name)
		value, ok := lookupEnv(name)
		if !ok || value == "" || f.Name == versionFlag {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", name, value, err))
		}
	})
	return errors.Join(errs...)
}

func envName(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// validate finds what would otherwise show minutes later, or never. It names all faults at once.
func (o *options) validate() error {
	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("--"+name+": "+format, args...))
	}
	for name, address := range map[string]string{
		"metrics-bind-address":      o.metricsAddress,
		"health-probe-bind-address": o.probeAddress,
	} {
		if err := checkAddress(address); err != nil {
			bad(name, "%w", err)
		}
	}
	if o.metricsCertPath != "" && (!o.metricsSecure || o.metricsAddress == disabled) {
		bad("metrics-cert-path", "has no use without --metrics-secure and an address for the metrics")
	}
	if o.leaderElectionNamespace != "" && len(validation.IsDNS1123Label(o.leaderElectionNamespace)) > 0 {
		bad("leader-election-namespace", "%q is no name of a namespace", o.leaderElectionNamespace)
	}
	for name, n := range map[string]int{
		"concurrent-users":       o.concurrentUsers,
		"concurrent-connections": o.concurrentConnections,
	} {
		if n < 1 || n > 1000 {
			bad(name, "%d is not between 1 and 1000", n)
		}
	}
	errs = append(errs, checkExists("api-overrides", o.apiOverrides), checkExists("metrics-cert-path", o.metricsCertPath))
	return errors.Join(errs...)
}

// checkAddress takes what net.Listen takes for TCP, with a numeric port, and "0".
func checkAddress(address string) error {
	if address == disabled {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is no address such as :8443 or 127.0.0.1:8443, nor 0", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port between 0 and 65535", address)
	}
	return nil
}

func checkExists(name, path string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("--%s: %w", name, err)
	}
	return nil
}
