package hack_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// TestNoTestIsSkipped: a test that skips itself looks like one that passes.
func TestNoTestIsSkipped(t *testing.T) {
	g := NewWithT(t)
	var found []string
	eachCall(t, func(c call) {
		if c.inTest && (c.name == "Skip" || c.name == "Skipf" || c.name == "SkipNow") {
			found = append(found, c.where)
		}
	})
	g.Expect(found).To(BeEmpty())
}

// TestTimeIsInjected: what reads the system's clock by itself can't be tested without waiting. Programs may, libraries may not.
func TestTimeIsInjected(t *testing.T) {
	g := NewWithT(t)
	var found []string
	eachCall(t, func(c call) {
		reads := c.receiver == "time" && (c.name == "Now" || c.name == "Since" || c.name == "Until" || c.name == "Sleep")
		if reads && !c.inTest && c.pkg != "main" {
			found = append(found, c.where)
		}
	})
	g.Expect(found).To(BeEmpty())
}

// TestNoTestSleeps: a test that waits for a time is slow on a good day and wrong on a bad one.
func TestNoTestSleeps(t *testing.T) {
	g := NewWithT(t)
	var found []string
	eachCall(t, func(c call) {
		if c.inTest && c.receiver == "time" && c.name == "Sleep" {
			found = append(found, c.where)
		}
	})
	g.Expect(found).To(BeEmpty())
}

// call is a call of the form receiver.name(…).
type call struct {
	pkg, receiver, name string
	inTest              bool
	where               string
}

func eachCall(t *testing.T, visit func(call)) {
	t.Helper()
	g := NewWithT(t)
	for _, p := range modulePackages(t) {
		files, err := filepath.Glob(filepath.Join(p.dir, "*.go"))
		g.Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
			g.Expect(err).NotTo(HaveOccurred())
			ast.Inspect(parsed, func(n ast.Node) bool {
				expr, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if selector, ok := expr.Fun.(*ast.SelectorExpr); ok {
					visit(call{
						pkg: parsed.Name.Name, receiver: fmt.Sprint(selector.X), name: selector.Sel.Name,
						inTest: strings.HasSuffix(file, "_test.go"), where: set.Position(expr.Pos()).String(),
					})
				}
				return true
			})
		}
	}
}
