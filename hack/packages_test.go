package hack_test

import (
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const module = "github.com/trustbuilder-mfa/operator"

// pkg is one package of this module.
type pkg struct {
	path        string // within the module
	dir         string
	imports     []string
	testImports []string
}

// modulePackages reads the packages itself, instead of asking `go list`: go test keeps a result until a file that the test
// has read changes, and does not know what a child process has read.
func modulePackages(t *testing.T) []pkg {
	t.Helper()
	g := NewWithT(t)
	var out []pkg
	g.Expect(filepath.WalkDir("..", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if dir != ".." && skipped(dir) {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(dir, 0)
		if _, none := errors.AsType[*build.NoGoError](err); none {
			return nil
		}
		if err != nil {
			return err
		}
		path := filepath.ToSlash(strings.TrimPrefix(dir, ".."+string(filepath.Separator)))
		out = append(out, pkg{path: path, dir: dir, imports: p.Imports, testImports: append(p.TestImports, p.XTestImports...)})
		return nil
	})).To(Succeed())
	g.Expect(len(out)).To(BeNumerically(">", 5), "the walk must find the module")
	return out
}

// skipped are folders without packages of this module: what the go command leaves out, and modules of their own.
func skipped(dir string) bool {
	base := filepath.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "bin" || base == "dist" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
