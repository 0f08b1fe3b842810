package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const version = "v1.2.3-rc.1"

// TestTwoBuildsAreEqual builds the release for this platform twice, from two places and into two folders. Every byte is the same.
func TestTwoBuildsAreEqual(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("SOURCE_DATE_EPOCH", "1795000000")
	here, there := t.TempDir(), copyTree(t)
	g.Expect(release(t, repository(t), here)).To(Succeed())
	g.Expect(release(t, there, filepath.Join(there, "elsewhere"))).To(Succeed())

	first, second := contents(t, here), contents(t, filepath.Join(there, "elsewhere"))
	platform := runtime.GOOS + "_" + runtime.GOARCH
	g.Expect(first).To(HaveKey("manager_" + version + "_" + platform + ".tar.gz"))
	for name, data := range first {
		g.Expect(second[name] == data).To(BeTrue(), "%s differs", name)
	}
	g.Expect(second).To(HaveLen(len(first)))

	t.Run("checksums", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(strings.Count(first[sumsName], "\n")).To(Equal(len(first)-1), "of every other file")
		cmd := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", sumsName)
		cmd.Dir = here
		out, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(out))
	})
	t.Run("installer", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(first[installerName]).To(ContainSubstring("image: registry.example.com/mfa:" + version))
		g.Expect(first[installerName]).NotTo(ContainSubstring(":latest"))
	})
	t.Run("archives", func(t *testing.T) {
		g := NewWithT(t)
		files, err := readTarball(filepath.Join(here, "kubectl-mfa_"+version+"_"+platform+".tar.gz"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(files).To(HaveLen(2))
		g.Expect(files[0].name).To(Equal("LICENSE"))
		g.Expect(files[1].name).To(Equal("kubectl-mfa"))
		g.Expect(files[1].mode).To(BeEquivalentTo(0o755))
	})
	t.Run("chart", func(t *testing.T) {
		g := NewWithT(t)
		files, err := readTarball(filepath.Join(here, "trustbuilder-mfa-operator-1.2.3-rc.1.tgz"))
		g.Expect(err).NotTo(HaveOccurred())
		n := slices.IndexFunc(files, func(f file) bool { return f.name == "trustbuilder-mfa-operator/Chart.yaml" })
		g.Expect(n).NotTo(Equal(-1))
		g.Expect(string(files[n].data)).To(ContainSubstring("appVersion: " + version))
	})
	t.Run("parts", func(t *testing.T) {
		g := NewWithT(t)
		parts := first["manager_"+version+"_"+platform+".cdx.json"]
		g.Expect(parts).To(And(ContainSubstring("pkg:golang/sigs.k8s.io/controller-runtime@"), ContainSubstring("pkg:golang/std@"+runtime.Version())))
		g.Expect(parts).NotTo(ContainSubstring("serialNumber"))
	})
}

// TestBadInput: what can't be released is refused before anything is built or taken away.
// TestOwnSettingsMakeNoDifference: neither those of the environment nor those of go env -w.
func TestOwnSettingsMakeNoDifference(t *testing.T) {
	g := NewWithT(t)
	settings := []string{"GOFLAGS", "GOAMD64", "GOARM64", "CGO_ENABLED", "GOFIPS140"}
	of := func() string {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"env"}, settings...)...)
		cmd.Env = (&binary{os: "linux", arch: "amd64"}).environment()
		out, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(out))
		return string(out)
	}
	before := of()
	file := filepath.Join(t.TempDir(), "env")
	g.Expect(os.WriteFile(file, []byte("GOFLAGS=-tags=mine\nGOARM64=v9.0\n"), 0o600)).To(Succeed())
	t.Setenv("GOENV", file)
	t.Setenv("GOFLAGS", "-race")
	t.Setenv("GOAMD64", "v3")
	t.Setenv("CGO_ENABLED", "1")
	g.Expect(of()).To(Equal(before))

	g.Expect(os.WriteFile(file, []byte("GOEXPERIMENT=arenas\n"), 0o600)).To(Succeed())
	g.Expect(run(t.Context(), &options{version: version})).To(MatchError(ContainSubstring("GOEXPERIMENT is arenas")))
}

// TestOnlyCommitsAreReleased: what a release carries as its time is that of a commit, so it has to be one.
func TestOnlyCommitsAreReleased(t *testing.T) {
	g := NewWithT(t)
	t.Chdir(t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "")
	for _, args := range [][]string{{"init", "--quiet"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "--message", "one"}} {
		out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(out))
	}
	_, err := commitTime(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile("forgotten.go", nil, 0o600)).To(Succeed())
	_, err = commitTime(t.Context())
	g.Expect(err).To(MatchError(ContainSubstring("forgotten.go")))
	t.Setenv("SOURCE_DATE_EPOCH", "1795000000")
	at, err := commitTime(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(at.Unix()).To(BeEquivalentTo(1795000000))
}

func TestBadInput(t *testing.T) {
	g := NewWithT(t)
	t.Chdir(repository(t))
	t.Setenv("SOURCE_DATE_EPOCH", "1795000000")
	full := t.TempDir()
	theirs := filepath.Join(full, "thesis.txt")
	g.Expect(os.WriteFile(theirs, []byte("years of work"), 0o600)).To(Succeed())
	cases := map[string]struct {
		options options
		says    string
	}{
		"no version":        {options{}, "make release VERSION="},
		"not a version":     {options{version: "latest"}, `"latest"`},
		"no v":              {options{version: "1.2.3"}, `"1.2.3"`},
		"unknown platform":  {options{version: version, platforms: []string{"plan9/amd64"}}, "linux/amd64"},
		"somebody's folder": {options{version: version, out: full}, "empty it or name another"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(run(t.Context(), &tc.options)).To(MatchError(ContainSubstring(tc.says)))
		})
	}
	g.Expect(theirs).To(BeAnExistingFile())
}

// release builds for this platform alone.
func release(t *testing.T, root, out string) error {
	t.Helper()
	t.Chdir(root)
	return run(t.Context(), &options{
		version: version, out: out, image: "registry.example.com/mfa", platforms: []string{runtime.GOOS + "/" + runtime.GOARCH},
	})
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return root
}

// copyTree copies what is in version control, changes of the working tree included, to another place.
func copyTree(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	root, copied := repository(t), t.TempDir()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	g.Expect(err).NotTo(HaveOccurred())
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted in the working tree
		}
		g.Expect(err).NotTo(HaveOccurred())
		to := filepath.Join(copied, name)
		g.Expect(os.MkdirAll(filepath.Dir(to), 0o700)).To(Succeed())
		g.Expect(os.WriteFile(to, data, 0o600)).To(Succeed())
	}
	return copied
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	g := NewWithT(t)
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		g.Expect(err).NotTo(HaveOccurred())
		found[entry.Name()] = string(data)
	}
	return found
}
