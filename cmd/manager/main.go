// Command manager is the operator: it keeps the accounts of TrustBuilder MFA services as the MFAUsers of a cluster say.
//
// Every option is a flag or a variable of the environment; --help lists them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"

	ctrl "sigs.k8s.io/controller-runtime"
)

// version is stamped by the linker; see buildVersion for builds without it.
var version = ""

// gcPercent is how far the heap may grow between two collections, in percent of what is in use (Go's default: 100). The
// operator mostly waits for networks, so it spends a little processor time on needing less memory. GOGC overrides it.
const gcPercent = 25

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	opts, err := parseOptions(os.Args[1:], os.LookupEnv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return // asked for, and printed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(2)
	}
	if opts.showVersion {
		fmt.Println(buildVersion())
		return
	}
	if err := run(ctrl.SetupSignalHandler(), opts); err != nil {
		ctrl.Log.WithName("setup").Error(err, "the manager ended")
		os.Exit(1)
	}
}
