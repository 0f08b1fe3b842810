package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fill puts programs into a folder and returns it.
func fill(t *testing.T, folder string, mode os.FileMode, names ...string) string {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!"), mode); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestFind holds the order of the four sources and what each must offer.
func TestFind(t *testing.T) {
	three := needed(false)
	cases := map[string]struct {
		env, cached, downloaded []string // programs there; nil: no such source
		withManager             bool
		want                    string // env | cache | download | build
		wantErr                 string
	}{
		"the variable before all":                {env: three, cached: programs, downloaded: three, want: "env"},
		"the variable is incomplete":             {env: three[:1], cached: programs, wantErr: "KUBEBUILDER_ASSETS: "},
		"the variable lacks the manager":         {env: three, cached: programs, withManager: true, wantErr: "kube-controller-manager"},
		"the cache before the download":          {cached: programs, downloaded: three, want: "cache"},
		"the download before the build":          {downloaded: three, want: "download"},
		"the download has no controller manager": {downloaded: three, withManager: true, want: "build"},
		"the download is incomplete":             {downloaded: three[:2], want: "build"},
		"nothing anywhere":                       {want: "build"},
		"a broken cache is built again":          {cached: three[:1], want: "build"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			where := map[string]string{"env": dir + "/env", "cache": dir + "/cache/v1", "download": dir + "/download", "build": dir + "/cache/v1"}
			built := false
			f := finder{
				need: needed(tc.withManager), target: where["cache"], say: t.Logf,
				download: func(context.Context) (string, error) {
					if tc.downloaded == nil {
						return "", errors.New("out of reach")
					}
					return fill(t, where["download"], 0o755, tc.downloaded...), nil
				},
				build: func(_ context.Context, into string) error {
					built = true
					fill(t, into, 0o755, programs...)
					return nil
				},
			}
			if tc.env != nil {
				f.fromEnv = fill(t, where["env"], 0o755, tc.env...)
			}
			if tc.cached != nil {
				fill(t, where["cache"], 0o755, tc.cached...)
			}

			got, err := f.find(t.Context())
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("error %v, want one with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || got != where[tc.want] || built != (tc.want == "build") {
				t.Fatalf("got %s (built: %t), %v; want %s", got, built, err, tc.want)
			}
			if err := complete(got, f.need); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestComplete(t *testing.T) {
	plain := fill(t, t.TempDir(), 0o644, "etcd")
	if err := complete(plain, []string{"etcd"}); err == nil || !strings.Contains(err.Error(), "not a program") {
		t.Errorf("a file that cannot be run: %v", err)
	}
	if err := complete("/no/such/folder", []string{"etcd"}); err == nil || !strings.Contains(err.Error(), "has no etcd") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestBuildOnce runs two finders at once, as two makes do: one builds, both get it.
func TestBuildOnce(t *testing.T) {
	target := filepath.Join(t.TempDir(), "cache", "v1")
	var builds atomic.Int32
	waiting := make(chan struct{}, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	find := func() error {
		f := finder{
			need: programs, target: target,
			say: func(string, ...any) { waiting <- struct{}{} },
			build: func(ctx context.Context, into string) error {
				builds.Add(1)
				select { // the build ends when the other one stands waiting
				case <-waiting:
				case <-ctx.Done():
				}
				fill(t, into, 0o755, programs...)
				return nil
			},
		}
		_, err := f.find(ctx)
		return err
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := find(); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := builds.Load(); n != 1 {
		t.Errorf("%d builds, want 1", n)
	}
}

// TestBuildFails holds that a failed build leaves nothing that looks like one.
func TestBuildFails(t *testing.T) {
	cases := map[string]func(t *testing.T, into string) error{
		"with an error": func(t *testing.T, into string) error {
			fill(t, into, 0o755, programs...)
			return errors.New("compiler says no")
		},
		"with a program missing": func(t *testing.T, into string) error {
			fill(t, into, 0o755, programs[:2]...)
			return nil
		},
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			f := finder{
				need: programs, target: filepath.Join(cache, "v1"), say: t.Logf,
				build: func(_ context.Context, into string) error { return build(t, into) },
			}
			if folder, err := f.find(t.Context()); err == nil {
				t.Fatalf("no error, but %s", folder)
			}
			left, err := filepath.Glob(filepath.Join(cache, "*"))
			if err != nil || len(left) != 1 || filepath.Base(left[0]) != "v1.lock" {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestLockGivesUp holds that Ctrl-C ends the wait for another build.
func TestLockGivesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, func() { t.Error("nobody else holds it") })
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := lock(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}
