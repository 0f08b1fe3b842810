package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/test/program"
)

// runbook is where the alerts are explained; the anchor follows.
const runbook = "https://github.com/trustbuilder-mfa/operator/blob/main/docs/operations.md#"

// rule is an alert of the PrometheusRule.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// ruleFile is what Prometheus itself reads: the spec of a PrometheusRule.
type ruleFile struct {
	Groups []struct {
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

// readRules takes the rules out of the PrometheusRule, as they are and as a list.
func readRules(g *WithT) (spec any, rules []rule) {
	text, err := os.ReadFile("../../config/prometheus/rules.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var object struct{ Spec any }
	g.Expect(yaml.Unmarshal(text, &object)).To(Succeed())
	var typed struct{ Spec ruleFile }
	g.Expect(yaml.Unmarshal(text, &typed)).To(Succeed())
	for _, group := range typed.Spec.Groups {
		rules = append(rules, group.Rules...)
	}
	return object.Spec, rules
}

// writeYAML writes a file for promtool.
func writeYAML(g *WithT, path string, content any) {
	text, err := yaml.Marshal(content)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
}

// promtool runs it in a folder. Its service discoveries, of a dozen clouds, have no say in this.
func promtool(t *testing.T, dir string, args ...string) (output string, err error) {
	t.Helper()
	path, err := findPromtool(t)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var promtoolPath struct {
	sync.Mutex
	path string
}

func findPromtool(t *testing.T) (path string, err error) {
	promtoolPath.Lock()
	defer promtoolPath.Unlock()
	if promtoolPath.path == "" {
		promtoolPath.path, err = program.Tool(t.Context(), "promtool.mod", "promtool", "remove_all_sd")
	}
	return promtoolPath.path, err
}

func TestRulesPassPromtool(t *testing.T) {
	g := NewWithT(t)
	spec, _ := readRules(g)
	dir := t.TempDir()
	writeYAML(g, filepath.Join(dir, "rules.yaml"), spec)
	out, err := promtool(t, dir, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Expect(out).To(ContainSubstring("SUCCESS"))
}

var severities = []string{"info", "warning", "critical"}

// heading is one of the section Alerts in docs/operations.md.
var heading = regexp.MustCompile("(?m)^### (MFA[A-Za-z0-9]+)$")

// TestEveryAlertSaysWhatToDo: in its annotations, and under its name in docs/operations.md, where runbook_url leads.
func TestEveryAlertSaysWhatToDo(t *testing.T) {
	g := NewWithT(t)
	_, rules := readRules(g)
	var names []string
	for _, r := range rules {
		names = append(names, r.Alert)
		g.Expect(r.Labels).To(And(HaveLen(1), HaveKeyWithValue("severity", BeElementOf(severities))), r.Alert)
		g.Expect(r.Annotations).To(HaveLen(3), r.Alert)
		g.Expect(r.Annotations["summary"]).To(HaveSuffix("."), r.Alert)
		g.Expect(r.Annotations["description"]).NotTo(BeEmpty(), r.Alert)
		g.Expect(r.Annotations["runbook_url"]).To(Equal(runbook+strings.ToLower(r.Alert)), r.Alert)
	}
	text, err := os.ReadFile("../../docs/operations.md")
	g.Expect(err).NotTo(HaveOccurred())
	var explained []string
	for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
		explained = append(explained, match[1])
	}
	g.Expect(explained).To(Equal(names), "docs/operations.md explains each alert, in the order of the rules")
}
