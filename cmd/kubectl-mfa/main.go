// Command kubectl-mfa is kubectl's plugin for people who run TrustBuilder MFA through this operator. As kubectl mfa it shows,
// plans, exports and checks; under the name kubectl_complete-mfa it completes words for kubectl.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"github.com/trustbuilder-mfa/operator/internal/plugin"
)

// version is stamped by the linker; see buildVersion for builds without it.
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := plugin.Run(ctx, plugin.Options{
		IOStreams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Clock:     clock.RealClock{},
		Version:   buildVersion(),
		Args:      os.Args,
	})
	stop()
	os.Exit(code)
}

// buildVersion is what the linker stamped, or for `go install module@version` what go knows.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return strings.Trim(info.Main.Version, "()") // go says (devel) of a build from a working tree
	}
	return "unknown"
}
