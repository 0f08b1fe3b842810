package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// program is one of ours.
type program struct {
	name      string
	platforms []string // as os/arch
}

var programs = []program{
	{"manager", servers},
	{"mfasim", servers},
	{"kubectl-mfa", append(slices.Clone(servers), "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64")},
}

// servers are the platforms that clusters run on.
var servers = []string{"linux/amd64", "linux/arm64"}

// binary is a program built for a platform.
type binary struct {
	program, os, arch string
	path              string
}

// fileName is the program's name there.
func (b *binary) fileName() string {
	if b.os == "windows" {
		return b.program + ".exe"
	}
	return b.program
}

// label tells the binary's files in the release from those of others.
func (b *binary) label(version string) string {
	return fmt.Sprintf("%s_%s_%s_%s", b.program, version, b.os, b.arch)
}

// check finds platforms that nothing is built for.
func (o *options) check() error {
	known := programs[len(programs)-1].platforms
	for _, platform := range o.platforms {
		if !slices.Contains(known, platform) {
			return fmt.Errorf("nothing is released for the platform %q; there are: %s", platform, strings.Join(known, ", "))
		}
	}
	return nil
}

// buildAll builds every program for each of its platforms that is asked for.
func buildAll(ctx context.Context, o *options, dir string) ([]binary, error) {
	var binaries []binary
	for _, p := range programs {
		for _, platform := range p.platforms {
			if len(o.platforms) > 0 && !slices.Contains(o.platforms, platform) {
				continue
			}
			goos, goarch, _ := strings.Cut(platform, "/")
			b := binary{program: p.name, os: goos, arch: goarch}
			b.path = filepath.Join(dir, b.label(o.version))
			fmt.Printf("build %s for %s\n", p.name, platform)
			if err := b.build(ctx, o.version); err != nil {
				return nil, err
			}
			binaries = append(binaries, b)
		}
	}
	return binaries, nil
}

// build links without symbols, paths and marks of version control: the same source gives the same bytes wherever it lies.
func (b *binary) build(ctx context.Context, version string) error {
	//nolint:gosec // our own programs
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+version, "-o", b.path, "./cmd/"+b.program)
	cmd.Env = b.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s/%s: %w\n%s", b.program, b.os, b.arch, err, out)
	}
	return nil
}

// environment is the caller's, without what he has set for builds of his own: a release has to run on every machine of its
// platform. An empty GOFLAGS would let in what go env -w has set.
func (b *binary) environment() []string {
	return append(os.Environ(), "GOOS="+b.os, "GOARCH="+b.arch, "CGO_ENABLED=0", "GOWORK=off",
		"GOFLAGS=-trimpath", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off")
}

// output runs a program in the root of the repository and returns what it prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, complaints.String())
	}
	return out.String(), nil
}
