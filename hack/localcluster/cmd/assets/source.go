package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// source is the module to build and the version of Kubernetes it names.
type source struct {
	dir     string
	version string // of Kubernetes: v1.2.3
	hash    string // of all that decides what is built, the Go version apart
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+)$`)

// readSource reads the version from go.mod, the one place it is written in.
func readSource(dir string) (source, error) {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if errors.Is(err, os.ErrNotExist) {
		return source{}, errors.New("run this in its module: go -C hack/localcluster run ./cmd/assets")
	}
	if err != nil {
		return source{}, err
	}
	match := kubernetesVersion.FindSubmatch(mod)
	if match == nil {
		return source{}, fmt.Errorf("%s names no version of k8s.io/kubernetes", filepath.Join(dir, "go.mod"))
	}
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return source{}, err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
	}
	return source{dir: dir, version: string(match[1]), hash: fmt.Sprintf("%x", hash.Sum(nil))[:12]}, nil
}

// minor is the version as the envtest download names a series: 1.2.x. Not every
// patch release is offered there.
func (s source) minor() string {
	v := strings.TrimPrefix(s.version, "v")
	return v[:strings.LastIndex(v, ".")] + ".x"
}

// folder is where the programs of this source live in the cache.
func (s source) folder(cache string) string {
	return filepath.Join(cache, fmt.Sprintf("%s-%s-%s-%s", s.version, runtime.GOOS, runtime.GOARCH, s.hash))
}

// cacheFolder follows the XDG rules on every system, so that it can be moved
// with one variable; default $HOME/.cache/trustbuilder-mfa-operator/localcluster.
func cacheFolder() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no cache folder: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	if !filepath.IsAbs(base) {
		return "", fmt.Errorf("XDG_CACHE_HOME is not an absolute path: %q", base)
	}
	return filepath.Join(base, "trustbuilder-mfa-operator", "localcluster"), nil
}
