package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const program = "localcluster"

// goBuilder makes the programs from Go modules.
type goBuilder struct {
	source source
	say    func(format string, args ...any)
	now    func() time.Time
	every  time.Duration // between two lines of progress
}

func (b goBuilder) build(ctx context.Context, into string) error {
	b.say("building Kubernetes %s from Go modules: once per version, 5 to 15 minutes", b.source.version)
	// Listing comes first: it fetches the modules, and it tells the total.
	b.say("fetching modules")
	total, err := b.countPackages(ctx)
	if err != nil {
		return err
	}
	if err := b.compile(ctx, filepath.Join(into, program), total); err != nil {
		return err
	}
	for _, name := range programs {
		if err := os.Symlink(program, filepath.Join(into, name)); err != nil {
			return err
		}
	}
	return nil
}

func (b goBuilder) countPackages(ctx context.Context) (int, error) {
	var failure bytes.Buffer
	cmd := b.command(ctx, "list", "-mod=readonly", "-deps", ".")
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		return 0, explain(ctx, "go list", err, failure.String())
	}
	return bytes.Count(out, []byte("\n")), nil
}

func (b goBuilder) compile(ctx context.Context, output string, total int) error {
	absolute, err := filepath.Abs(output)
	if err != nil {
		return err
	}
	watch := &progress{}
	cmd := b.command(ctx, "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false",
		"-ldflags", ldflags(b.source.version), "-o", absolute, ".")
	cmd.Stderr = watch
	start := b.now()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return explain(ctx, "go build", err, watch.text())
			}
			b.say("built in %s", b.now().Sub(start).Round(time.Second))
			return nil
		case <-tick.C:
			b.say("%s: at package %d of at most %d", b.now().Sub(start).Round(time.Second), watch.packages(), total)
		}
	}
}

// explain turns the failure of a go command into what a person has to know.
func explain(ctx context.Context, what string, err error, output string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: interrupted; what is compiled stays in Go's build cache", what)
	}
	return fmt.Errorf("%s: %w\n%s", what, err, complaints(output))
}

// command runs go in the module, for this machine, whatever the caller has set.
// The same CGO_ENABLED and -trimpath everywhere share one build cache; a lazier
// garbage collector saves a tenth of the time.
func (b goBuilder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.source.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOGC=400", "GOFLAGS=", "GOWORK=off",
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	// An interrupt lets go clean up after itself; a kill would not.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// ldflags stamps the version as the Kubernetes release does: the API server's
// /version and kubectl read these variables.
func ldflags(version string) string {
	number := strings.Split(strings.TrimPrefix(version, "v"), ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/client-go/pkg/version", "k8s.io/component-base/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+version,
			"-X", pkg+".gitMajor="+number[0],
			"-X", pkg+".gitMinor="+number[1],
			"-X", pkg+".gitTreeState=clean")
	}
	return strings.Join(flags, " ")
}
