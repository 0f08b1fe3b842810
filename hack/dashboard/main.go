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
)

type options struct {
	board, rules, recording, draw string
	rateInterval                  time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func parseOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	flags.StringVar(&o.board, "dashboard", "../../config/grafana/dashboard.json", "the `file` of the dashboard")
	flags.StringVar(&o.rules, "rules", "../../config/prometheus/rules.yaml", "the `file` of the PrometheusRule")
	flags.StringVar(&o.recording, "recording", "", "the `file` that test/footage has written")
	flags.StringVar(&o.draw, "draw", "", "`file` to draw the dashboard into, as SVG")
	flags.DurationVar(&o.rateInterval, "rate-interval", 20*time.Second, "what Grafana would fill in for $__rate_interval: four scrapes or more")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 || o.recording == "" {
		return options{}, errors.New("usage: dashboard -recording FILE [-draw FILE]")
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	opts, err := parseOptions(args)
	if err != nil {
		return err
	}
	board, err := readBoard(opts.board)
	if err != nil {
		return err
	}
	rules, err := readRules(opts.rules)
	if err != nil {
		return err
	}
	recording, err := readRecording(ctx, opts.recording)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, recording.close()) }()
	if err := recording.check(ctx, board, rules, opts.rateInterval); err != nil {
		return err
	}
	if opts.draw == "" {
		return nil
	}
	return recording.draw(ctx, board, opts)
}
