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

func main() {
	ctrl.SetLogger(logr.Discard()) // the manager logs for itself
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "footage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("footage", flag.ContinueOnError)
	out := flags.String("out", "footage.txt", "`file` to record into")
	length := flags.Duration("length", 12*time.Minute, "how long the story takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *length < 20*time.Second {
		return errors.New("usage: footage [-out FILE] [-length DURATION of 20s or more]")
	}
	return record(ctx, ".", *out, *length)
}

// record plays the story and writes down what the metrics say meanwhile. root is the folder that holds config.
func record(ctx context.Context, root, out string, length time.Duration) (err error) {
	stage, err := newStage(ctx, root, length)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close()) }()
	camera, err := newCamera(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, camera.close()) }()
	return newStory(stage, camera).play(ctx)
}
