package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

type options struct {
	listen    string
	accounts  int
	serviceID string
	groups    []string
	hosts     []string
	dir       string
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("mfasim", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to serve on; port 0 picks a free one")
	flags.IntVar(&o.accounts, "accounts", 0, "how many activated accounts to start with, besides the administrator")
	flags.StringVar(&o.serviceID, "service-id", mfasim.DefaultServiceID, "id of the simulated tenant, first half of the token's sub")
	flags.Func("groups", "comma-separated `names` of groups to start with", list(&o.groups))
	flags.Func("host", "comma-separated `names` or addresses to put in the certificate besides localhost and 127.0.0.1; may be repeated", list(&o.hosts))
	flags.StringVar(&o.dir, "dir", "", "folder to write the files url, token and ca.crt into, once the simulator listens")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.accounts < 0 {
		return options{}, errors.New("--accounts must not be negative")
	}
	return o, nil
}

// list collects comma-separated names, of one flag or of several.
func list(into *[]string) func(string) error {
	return func(text string) error {
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				*into = append(*into, name)
			}
		}
		return nil
	}
}
