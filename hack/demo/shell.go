package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

const (
	// seeTimeout bounds every wait. The operator needs seconds, a busy machine may need more. It is longer than the time-outs
	// of `kubectl wait`, which then says best what is missing.
	seeTimeout = 90 * time.Second
	pollEvery  = 200 * time.Millisecond
)

// command is something a user would type, and what has to be seen then.
type command struct {
	line   string   // for sh
	sees   string   // what it shows, for the error when it does not; default: line
	want   []string // expressions that the output matches, sooner or later; none: the command must succeed at once
	absent []string // expressions that it must not match then
	folded bool     // print how many lines came out instead of the lines
}

// shell runs commands with kubectl on the path and the administrator's access.
type shell struct {
	env                []string
	timeout, pollEvery time.Duration
}

// newShell keeps the user's own settings out: neither his kubeconfig nor his preferences nor his cache has to do with the demo.
func newShell(kubectlFolder, kubeconfig, cache string) *shell {
	return &shell{timeout: seeTimeout, pollEvery: pollEvery, env: append(os.Environ(),
		"PATH="+kubectlFolder+string(os.PathListSeparator)+os.Getenv("PATH"),
		"KUBECONFIG="+kubeconfig, "KUBECACHEDIR="+cache, "KUBERC=off")}
}

// see prints a command, runs it until what it prints is as wanted, and prints that.
func (s *shell) see(ctx context.Context, c command) error {
	fmt.Println("$ " + c.line)
	var out string
	err := s.until(ctx, func(ctx context.Context) error {
		var err error
		if out, err = s.run(ctx, c.line); err != nil {
			return fmt.Errorf("%w\n%s", err, indent(out))
		}
		return c.check(out)
	}, len(c.want)+len(c.absent) > 0)
	if err != nil {
		return notSeen(cmp.Or(c.sees, c.line), err)
	}
	if c.folded {
		out = fmt.Sprintf("(%d objects)", strings.Count(out, "\n"))
	}
	fmt.Println(indent(out))
	return nil
}

// notSeen is the error for something that should have been seen.
func notSeen(what string, err error) error { return fmt.Errorf("not seen: %s: %w", what, err) }

// run returns what a command prints, both streams together.
func (s *shell) run(ctx context.Context, line string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env, cmd.WaitDelay = s.env, 5*time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// until tries once, or again and again until it succeeds or the time is over. The last error says what was missing.
func (s *shell) until(ctx context.Context, try func(context.Context) error, again bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("it took longer than %s", s.timeout))
	defer cancel()
	ticker := time.NewTicker(s.pollEvery)
	defer ticker.Stop()
	var last error
	for {
		err := try(ctx)
		if err == nil || !again {
			return err
		}
		// A try that was cut off knows nothing; the one before it does.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}

// check names the first thing that is not as it should be.
func (c command) check(out string) error {
	for _, expression := range c.want {
		if !regexp.MustCompile("(?m)" + expression).MatchString(out) {
			return fmt.Errorf("nothing like %s in\n%s", expression, indent(out))
		}
	}
	for _, expression := range c.absent {
		if regexp.MustCompile("(?m)" + expression).MatchString(out) {
			return fmt.Errorf("something like %s in\n%s", expression, indent(out))
		}
	}
	return nil
}
