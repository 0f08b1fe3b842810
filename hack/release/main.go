package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	var o options
	var platforms string
	flag.StringVar(&o.version, "version", "", "the `version` to release, as v1.2.3 or v1.2.3-rc.1")
	flag.StringVar(&o.out, "out", "dist", "the `folder` to build into; what was in there goes")
	flag.StringVar(&o.image, "image", "trustbuilder-mfa-operator", "the image's `name` in install.yaml and in the image archives, without a tag")
	flag.StringVar(&platforms, "platforms", "", "build for these alone, as `os/arch,…`; default: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if platforms != "" {
		o.platforms = strings.Split(platforms, ",")
	}
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		stop()
		os.Exit(1)
	}
}

// options are what the caller asks for.
type options struct {
	version, out, image string
	platforms           []string // empty: all
	// at is the time that everything in the release carries: the commit's.
	at time.Time
}

// versionPattern is a semantic version with a v, as Go modules have it.
var versionPattern = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

func run(ctx context.Context, o *options) error {
	if !versionPattern.MatchString(o.version) {
		return fmt.Errorf("the version %q is none: give one like v1.2.3 or v1.2.3-rc.1 (make release VERSION=v1.2.3)", o.version)
	}
	if err := o.check(); err != nil {
		return err
	}
	// No value of it stands for the default, so it can't be put right for whoever has set it.
	experiments, err := output(ctx, "go", "env", "GOEXPERIMENT")
	if err != nil {
		return err
	}
	if experiments = strings.TrimSpace(experiments); experiments != "" {
		return fmt.Errorf("GOEXPERIMENT is %s, and a release is built without: unset it (go env -u GOEXPERIMENT)", experiments)
	}
	if o.at, err = commitTime(ctx); err != nil {
		return err
	}
	if err := emptyFolder(o.out); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	binaries, err := buildAll(ctx, o, work)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return archiveAll(o, binaries) },
		func() error { return listParts(o, binaries) },
		func() error { return buildImages(o, binaries) },
		func() error { return writeInstaller(ctx, o) },
		func() error { return packageChart(ctx, o, work) },
		func() error { return writeChecksums(o) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// commitTime is when the commit was made that is released, or what SOURCE_DATE_EPOCH says, as reproducible builds have it.
func commitTime(ctx context.Context) (time.Time, error) {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		changed, err := output(ctx, "git", "status", "--porcelain")
		if err != nil {
			return time.Time{}, fmt.Errorf("find the commit's time (or set SOURCE_DATE_EPOCH to seconds since 1970): %w", err)
		}
		if changed != "" {
			return time.Time{}, fmt.Errorf("what is released has to be a commit, and these files differ from it; commit or remove them (or set SOURCE_DATE_EPOCH, for a trial):\n%s", changed)
		}
		out, err := output(ctx, "git", "log", "-1", "--format=%ct")
		if err != nil {
			return time.Time{}, fmt.Errorf("find the commit's time: %w", err)
		}
		seconds = strings.TrimSpace(out)
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the time of the release must be in seconds since 1970: %w", err)
	}
	return time.Unix(n, 0).UTC(), nil
}

// emptyFolder makes a folder for the release. It takes away only one that a release has made: a slip of the hand must not
// cost somebody his files.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, sumsName)); err != nil && len(entries) > 0 {
		if len(entries) > 1 || entries[0].Name() != installerName {
			return fmt.Errorf("the folder %s holds files that no release has made; empty it or name another with -out", dir)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755) //nolint:gosec // a release is for everybody
}
