package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

type options struct {
	users    int
	out      string
	interval time.Duration
}

func main() {
	ctrl.SetLogger(logr.Discard()) // the manager logs for itself
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.users, "n", 2000, "how many users")
	flags.StringVar(&o.out, "out", "", "`file` to write the figures to as JSON")
	flags.DurationVar(&o.interval, "interval", 30*time.Second, "the connection's resyncInterval")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.users < 1:
		return options{}, errors.New("-n must be at least 1")
	case o.interval < 5*time.Second:
		return options{}, errors.New("-interval must be at least 5s: a listing has to end within it")
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	opts, err := parseOptions(args)
	if err != nil {
		return err
	}
	if _, err := os.Stat("config/default"); err != nil {
		return errors.New("run it in the folder that holds config, or with: make bench")
	}
	machine := describeMachine() // before this program loads it
	stage, err := newStage(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close()) }()
	figures, err := measure(ctx, stage)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, stage.operatorsLastWords())
	}
	figures.print(os.Stdout, machine, opts)
	if opts.out == "" {
		return nil
	}
	return figures.report().write(opts.out)
}
