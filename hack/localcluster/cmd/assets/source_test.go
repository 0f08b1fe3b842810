package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSource(t *testing.T) {
	// The module itself: whatever version it names must be understood.
	s, err := readSource(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.version, "v1.") || !strings.HasSuffix(s.minor(), ".x") {
		t.Errorf("version %q, series %q", s.version, s.minor())
	}
	if folder := filepath.Base(s.folder("/cache")); !strings.HasPrefix(folder, s.version+"-") || !strings.HasSuffix(folder, "-"+s.hash) {
		t.Errorf("folder %q", folder)
	}
	if _, err := readSource(t.TempDir()); err == nil || !strings.Contains(err.Error(), "go -C hack/localcluster run") {
		t.Errorf("outside the module: %v", err)
	}
}

// TestHash holds that each file that decides what is built names another folder.
func TestHash(t *testing.T) {
	files := map[string]string{"go.mod": "require (\n\tk8s.io/kubernetes v1.2.3\n)\n", "go.sum": "sums", "main.go": "package main"}
	read := func(changed string) source {
		dir := t.TempDir()
		for name, content := range files {
			if name == changed {
				content += "\n// changed"
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := readSource(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	seen := map[string]string{read("").hash: "nothing"}
	for name := range files {
		s := read(name)
		if other, twice := seen[s.hash]; twice {
			t.Errorf("changing %s gives the hash of changing %s", name, other)
		}
		seen[s.hash] = name
		if s.version != "v1.2.3" || s.minor() != "1.2.x" {
			t.Errorf("version %q, series %q", s.version, s.minor())
		}
	}
}

func TestCacheFolder(t *testing.T) {
	cases := map[string]struct{ xdg, want string }{
		"default":  {"", "/home/someone/.cache/trustbuilder-mfa-operator/localcluster"},
		"moved":    {"/var/cache", "/var/cache/trustbuilder-mfa-operator/localcluster"},
		"relative": {"cache", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", "/home/someone")
			t.Setenv("XDG_CACHE_HOME", tc.xdg)
			got, err := cacheFolder()
			if got != tc.want || (err != nil) != (tc.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
