package hack_test

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// rule says what a package may import. "x/..." stands for x and everything below it.
type rule struct {
	own     []string // packages of this module
	foreign []string // packages of other modules; nil: any
}

// rules has a row for every package that is not a program, a tool or a test. The arrows point one way:
// controller → inventory → mfaclient, and controller → api.
var rules = map[string]rule{
	// Other programs use the API without the operator.
	"api/v1alpha1":           {foreign: []string{"k8s.io/apimachinery/..."}},
	"api/applyconfiguration": {own: []string{"api/..."}, foreign: generated},
	"api/applyconfiguration/api/v1alpha1": {
		own: []string{"api/..."}, foreign: generated,
	},
	"api/applyconfiguration/internal": {foreign: generated},

	"internal/controller": {own: []string{"api/v1alpha1", "internal/inventory", "internal/mfaclient", "internal/pattern", "internal/rules"}},
	// What a manifest asks of an account, for the operator and for whoever says beforehand what it would do.
	"internal/rules": {
		own: []string{"api/v1alpha1", "internal/inventory", "internal/mfaclient", "internal/pattern"}, foreign: []string{"k8s.io/apimachinery/..."},
	},
	"internal/pattern":   {foreign: []string{}},
	"internal/inventory": {own: []string{"internal/mfaclient"}, foreign: []string{"golang.org/x/...", "k8s.io/utils/clock"}},

	// The client and the simulator know nothing of Kubernetes, and nothing of each other, not even in tests: a wrong JSON
	// tag on both sides must not cancel out. k8s.io/utils/clock is not Kubernetes, nor is a YAML parser.
	"internal/mfaclient": {foreign: []string{"github.com/golang-jwt/jwt/v5", "golang.org/x/...", "k8s.io/utils/clock", "sigs.k8s.io/yaml"}},
	"internal/mfasim":    {foreign: []string{"github.com/golang-jwt/jwt/v5", "golang.org/x/...", "k8s.io/utils/clock"}},

	// kubectl mfa: what it decides knows neither flags nor terminals, and nothing of it is for the manager.
	"internal/export": {
		own: []string{
			"api/v1alpha1", "api/applyconfiguration/api/v1alpha1",
			"internal/inventory", "internal/mfaclient", "internal/pattern", "internal/rules",
		},
		foreign: []string{},
	},
	"internal/plan":   {own: []string{"api/v1alpha1", "internal/inventory", "internal/mfaclient", "internal/rules"}, foreign: []string{}},
	"internal/doctor": {own: []string{"api/v1alpha1", "internal/mfaclient"}},
	"internal/plugin": {own: []string{
		"api/v1alpha1", "internal/doctor", "internal/export", "internal/inventory", "internal/mfaclient", "internal/pattern", "internal/plan", "internal/rules",
	}},

	// What the program and the end-to-end tests start.
	"internal/manager": {own: []string{"api/v1alpha1", "internal/controller"}},

	"internal/localcluster": {},

	// The programs in cmd name what they may use; the simulator is nothing for the manager.
	"cmd/manager":     {own: []string{"internal/controller", "internal/manager", "internal/mfaclient"}},
	"cmd/mfasim":      {own: []string{"internal/mfasim"}},
	"cmd/kubectl-mfa": {own: []string{"internal/plugin"}},

	// Tools and tests of the whole may use everything.
	"hack/...": {own: []string{"..."}},
	"test/...": {own: []string{"..."}},
}

var generated = []string{"k8s.io/apimachinery/...", "k8s.io/client-go/applyconfigurations/...", "sigs.k8s.io/structured-merge-diff/..."}

// forTests are packages that tests may use beside what their package may, unless secluded says no.
var (
	forTests     = []string{"api/...", "internal/localcluster", "internal/mfasim", "internal/mfaclient"}
	foreignTests = []string{"github.com/onsi/gomega/...", "github.com/golang-jwt/jwt/v5", "k8s.io/utils/clock/testing", "sigs.k8s.io/yaml"}
	secluded     = []string{"internal/mfaclient", "internal/mfasim"}
)

func TestImportRules(t *testing.T) {
	for _, p := range modulePackages(t) {
		t.Run(p.path, func(t *testing.T) {
			g := NewWithT(t)
			r, ok := ruleFor(p.path)
			g.Expect(ok).To(BeTrue(), "no rule for this package; add one to the table")
			g.Expect(r.forbidden(p.imports)).To(BeEmpty(), "imports against the rules")
			g.Expect(r.ofTests(p.path).forbidden(p.testImports)).To(BeEmpty(), "imports of its tests against the rules")
		})
	}
}

func ruleFor(path string) (rule, bool) {
	if r, ok := rules[path]; ok {
		return r, true
	}
	for pattern, r := range rules {
		if matches(pattern, path) {
			return r, true
		}
	}
	return rule{}, false
}

// ofTests is the rule for the tests of a package, which may always import the package itself.
func (r rule) ofTests(path string) rule {
	out := rule{own: append([]string{path}, r.own...)}
	if slices.Contains(secluded, path) {
		out.foreign = append(slices.Clone(foreignTests), r.foreign...)
		return out
	}
	out.own = append(out.own, forTests...)
	return out
}

// forbidden lists those of the imports that the rule does not allow.
func (r rule) forbidden(imports []string) []string {
	var out []string
	for _, path := range imports {
		own, isOwn := strings.CutPrefix(path, module+"/")
		switch {
		case isOwn && !slices.ContainsFunc(r.own, func(p string) bool { return matches(p, own) }):
			out = append(out, path)
		case !isOwn && isForeign(path) && r.foreign != nil && !slices.ContainsFunc(r.foreign, func(p string) bool { return matches(p, path) }):
			out = append(out, path)
		}
	}
	return out
}

func matches(pattern, path string) bool {
	if pattern == "..." {
		return true
	}
	below, ok := strings.CutSuffix(pattern, "/...")
	return path == below || ok && strings.HasPrefix(path, below+"/")
}

// isForeign tells the standard library, whose paths begin without a dot, from the rest.
func isForeign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}
