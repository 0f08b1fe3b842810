// Command demo shows the operator at work on this machine: a real control plane, the simulated MFA service, the manager as a
// process of its own with the rights that config/ gives it, and the people of config/samples.
//
//	make demo            # stays until Ctrl-C, to go on by hand
//	make demo ONCE=1     # ends by itself; exit status 0 only if everything was seen
//
// What it prints after a "$" is what it runs, so the text can be followed by hand. It runs in the root of the repository.
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

var errInterrupted = errors.New("interrupted before everything was seen")

func main() {
	once := flag.Bool("once", false, "end after the last thing shown instead of staying until Ctrl-C")
	bin := flag.String("bin", "bin", "the `folder` of the programs manager, mfasim and kubectl-mfa")
	flag.Parse()

	// Who reads along through a pipe may go away, say `| head`, or `| tee` at Ctrl-C. Everything must be stopped all the same.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, *bin, *once)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// run brings everything up, shows it and takes it down again.
func run(interrupted context.Context, bin string, once bool) error {
	start := time.Now()
	// A process that ends although nobody stopped it ends the demo, with the reason.
	ctx, fail := context.WithCancelCause(interrupted)
	defer fail(nil)
	s, err := newStage(bin, fail)
	if err != nil {
		return err
	}
	err = s.show(ctx)
	if err == nil {
		fmt.Printf("\nAll of this was seen in %s.\n", time.Since(start).Round(time.Second))
		if !once {
			fmt.Print(s.howToGoOn())
			<-ctx.Done()
		}
	}
	err = explain(interrupted, ctx, err)
	failed := err != nil && !errors.Is(err, errInterrupted)
	if failed {
		s.report()
	}
	fmt.Println("\nStopping the manager, the simulator and the control plane.")
	return errors.Join(err, s.stop(failed))
}

// explain turns what ended the demo into what a person has to know; nil means that all was well.
func explain(interrupted, ctx context.Context, err error) error {
	switch {
	case interrupted.Err() != nil && err != nil:
		return errInterrupted
	case interrupted.Err() == nil && ctx.Err() != nil:
		return context.Cause(ctx) // the end of a process is the reason of all that failed after it
	}
	return err
}
