package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "localcluster:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("assets", flag.ExitOnError)
	withManager := flags.Bool("controller-manager", false,
		"the folder must hold kube-controller-manager, which the envtest download lacks")
	if err := flags.Parse(args); err != nil {
		return err
	}

	source, err := readSource(".")
	if err != nil {
		return err
	}
	cache, err := cacheFolder()
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "localcluster: "+format+"\n", args...) }
	builder := goBuilder{source: source, say: say, now: time.Now, every: 15 * time.Second}
	f := finder{
		fromEnv:  os.Getenv("KUBEBUILDER_ASSETS"),
		need:     needed(*withManager),
		target:   source.folder(cache),
		download: func(ctx context.Context) (string, error) { return download(ctx, source.minor(), say) },
		build:    builder.build,
		say:      say,
	}
	folder, err := f.find(ctx)
	if err != nil {
		return err
	}
	fmt.Println(folder)
	return nil
}
