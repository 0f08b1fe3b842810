package plugin

import (
	"flag"
	"fmt"
	"strconv"

	"k8s.io/klog/v2"
)

// mostVerbose is the highest verbosity that is written. From 8 on the Kubernetes client writes the bodies of requests and
// answers, among them those of Secrets, with their codes and tokens. The manager holds its own log to the same limit.
const mostVerbose = 7

// verbosity is the flag -v, as kubectl has it, for what client-go says.
type verbosity int

// String is part of pflag.Value.
func (v *verbosity) String() string { return strconv.Itoa(int(*v)) }

// Type is part of pflag.Value.
func (v *verbosity) Type() string { return "level" }

// Set is part of pflag.Value.
func (v *verbosity) Set(text string) error {
	level, err := strconv.Atoi(text)
	if err != nil || level < 0 {
		return fmt.Errorf("%q is no level such as 6", text)
	}
	*v = verbosity(min(level, mostVerbose))
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	return flags.Set("v", v.String())
}
