package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// builderOf returns a builder of a module with one file, standard library only,
// so that a test builds it in a second.
func builderOf(t *testing.T, main string) goBuilder {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.26.0\n", "main.go": main} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return goBuilder{source: source{dir: dir, version: "v1.2.3"}, say: t.Logf, now: time.Now, every: time.Millisecond}
}

func TestBuild(t *testing.T) {
	b := builderOf(t, "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(os.Args[0]) }\n")
	var said []string
	b.say = func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	into := t.TempDir()
	if err := b.build(t.Context(), into); err != nil {
		t.Fatal(err)
	}
	if err := complete(into, programs); err != nil {
		t.Fatal(err)
	}
	// Each name must reach the program: it chooses by the name it is called by.
	out, err := exec.CommandContext(t.Context(), filepath.Join(into, "etcd")).Output()
	if err != nil || filepath.Base(string(out)) != "etcd" {
		t.Errorf("called as %q, %v", out, err)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "v1.2.3") || !strings.Contains(all, "at package ") {
		t.Errorf("said only:\n%s", all)
	}
}

func TestBuildSaysWhy(t *testing.T) {
	cases := map[string]struct{ main, want string }{
		"a compiler error": {"package main\n\nfunc main() { nonsense() }\n", "undefined: nonsense"},
		"a missing module": {"package main\n\nimport _ \"example.com/none\"\n\nfunc main() {}\n", "example.com/none"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := builderOf(t, tc.main).build(t.Context(), t.TempDir())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestComplaints(t *testing.T) {
	output := "go: downloading k8s.io/api v0.37.2\nk8s.io/api/core/v1\ngithub.com/a-b/c.d/v2\n# example.com/m\n./main.go:3:15: undefined: nonsense\n"
	want := "# example.com/m\n./main.go:3:15: undefined: nonsense"
	if got := complaints(output); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLdflags names the variables that the API server and kubectl read.
func TestLdflags(t *testing.T) {
	flags := ldflags("v1.2.3")
	for _, want := range []string{
		"k8s.io/component-base/version.gitVersion=v1.2.3",
		"k8s.io/component-base/version.gitMajor=1",
		"k8s.io/component-base/version.gitMinor=2",
		"k8s.io/client-go/pkg/version.gitVersion=v1.2.3",
	} {
		if !strings.Contains(flags, want) {
			t.Errorf("%q lacks %s", flags, want)
		}
	}
}

// TestReachable holds that a machine without the download is told so at once,
// and quietly: no address and no library's text in the one line people see.
func TestReachable(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/index.yaml" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	cases := map[string]struct {
		url  string
		want error
	}{
		"there":     {server.URL + "/index.yaml", nil},
		"forbidden": {server.URL + "/", errors.New("its index answers 403 Forbidden")},
		"no server": {closed.URL, errors.New("its index cannot be reached")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := reachable(t.Context(), tc.url); fmt.Sprint(err) != fmt.Sprint(tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestBuildInterrupted holds that Ctrl-C is not shown as a broken build.
func TestBuildInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := builderOf(t, "package main\n\nfunc main() {}\n")
	b.say = func(format string, _ ...any) {
		if strings.HasPrefix(format, "fetching") {
			cancel()
		}
	}
	if err := b.build(ctx, t.TempDir()); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("error %v", err)
	}
}
