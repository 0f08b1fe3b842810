package install

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/test/program"
)

const (
	chart = root + "/charts/trustbuilder-mfa-operator"
	// kubeVersion is what Helm takes a cluster for that it does not ask.
	kubeVersion = "--kube-version=1.37.0"
)

var update = flag.Bool("update", false, "write what the chart renders into testdata, to be looked at in the diff")

// helmTool asks go once, which takes a second even for what is built.
var helmTool = sync.OnceValues(func() (string, error) { return program.Tool(context.Background(), "helm.mod", "helm") })

// helm is the pinned tool, with folders of its own instead of the user's.
func helm(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	tool, err := helmTool()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	cmd := exec.CommandContext(t.Context(), tool, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	return cmd
}

// template renders the chart as the release mfa in the namespace mfa.
func template(t *testing.T, args ...string) string {
	t.Helper()
	out, err := helm(t, append([]string{"template", "mfa", chart, "--namespace=mfa", kubeVersion}, args...)...).CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s", out)
	return string(out)
}

func valueFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/chart/*.values.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(len(files)).To(BeNumerically(">=", 4))
	return files
}

// TestChartLint runs Helm's own checks over the chart with each set of values; a warning is a fault.
func TestChartLint(t *testing.T) {
	for _, values := range valueFiles(t) {
		t.Run(filepath.Base(values), func(t *testing.T) {
			out, err := helm(t, "lint", "--strict", kubeVersion, "--values="+values, chart).CombinedOutput()
			NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s", out)
		})
	}
}

// Some kinds are copied from config, and another test holds their content against it.
var (
	copies  = regexp.MustCompile(`(?m)^kind: (CustomResourceDefinition|PrometheusRule|ConfigMap)$`)
	content = regexp.MustCompile(`(?m)^(spec|data):\n(  .*\n|\n)+`)
)

// TestChartGolden holds what the chart renders, but for what it copies, against files that a reviewer has seen.
func TestChartGolden(t *testing.T) {
	for _, values := range valueFiles(t) {
		t.Run(filepath.Base(values), func(t *testing.T) {
			documents := strings.SplitAfter(template(t, "--values="+values), "\n---\n")
			for i, document := range documents {
				if copies.MatchString(document) {
					documents[i] = content.ReplaceAllString(document, "$1: …\n")
				}
			}
			expectGolden(t, strings.TrimSuffix(values, ".values.yaml")+".golden.yaml", strings.Join(documents, ""))
		})
	}
}

// TestChartTakesValues: what is near to a value that is refused.
func TestChartTakesValues(t *testing.T) {
	cases := map[string]struct{ set, want string }{
		"a registry with a port":       {"image.repository=localhost:5000/team/mfa,image.tag=v1", "image: localhost:5000/team/mfa:v1\n"},
		"no budget, none given":        {"podDisruptionBudget.maxUnavailable=null", "kind: Deployment"},
		"a budget of what must stay":   {"podDisruptionBudget.enabled=true,podDisruptionBudget.maxUnavailable=null,podDisruptionBudget.minAvailable=0", "minAvailable: 0\n"},
		"a label that selects nothing": {`podLabels.app\.kubernetes\.io/version=v1`, "app.kubernetes.io/version: v1\n"},
		"no labels":                    {"podLabels=null", "kind: Deployment"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(template(t, "--set", tc.set)).To(ContainSubstring(tc.want))
		})
	}
}

func expectGolden(t *testing.T, file, got string) {
	t.Helper()
	g := NewWithT(t)
	if *update {
		g.Expect(os.WriteFile(file, []byte(got), 0o600)).To(Succeed())
	}
	want, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(string(want)), "if this is as it should be: go test ./test/install -run Chart -update")
}

// TestChartRefusesValues: whoever mistypes a value is told which one, and what is wrong with it.
func TestChartRefusesValues(t *testing.T) {
	cases := map[string]struct{ set, want string }{
		"no such value":             {"replicas=2", "additional properties 'replicas' not allowed"},
		"no such value, further in": {"crds.enabled=true", "at '/crds': additional properties 'enabled' not allowed"},
		"no boolean":                {"crds.keep=maybe", "at '/crds/keep': got string, want boolean"},
		"no number":                 {"replicaCount=two", "at '/replicaCount': got string, want integer"},
		"less than none":            {"replicaCount=-1", "at '/replicaCount': minimum: got -1, want 0"},
		"no namespace":              {"watchNamespaces={Team A}", "at '/watchNamespaces/0': 'Team A' does not match pattern"},
		"one twice":                 {"watchNamespaces={a,a}", "at '/watchNamespaces': items at 0 and 1 are equal"},
		"no list":                   {"watchNamespaces=team-a", "at '/watchNamespaces': got string, want array"},
		"no image":                  {"image.repository=", "at '/image/repository': '' does not match pattern"},
		"an image with a tag":       {"image.repository=a:b", "at '/image/repository': 'a:b' does not match pattern"},
		"an image with a port, tag": {"image.repository=a:5000/b:c", "at '/image/repository': 'a:5000/b:c' does not match pattern"},
		"an image with a digest":    {"image.repository=a@sha256:b", "at '/image/repository': 'a@sha256:b' does not match pattern"},
		"no digest":                 {"image.digest=latest", "at '/image/digest'"},
		"no pull policy":            {"image.pullPolicy=Sometimes", "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"},
		"a connection, no token":    {"connections[0].name=a,connections[0].spec.url=https://x", "at '/connections/0/spec': missing property 'tokenSecretRef'"},
		"a token as a value":        {"connections[0].name=a,connections[0].spec.tokenSecretRef.name=a,connections[0].token=s3cret", "at '/connections/0': additional properties 'token' not allowed"},
		"no flag":                   {"extraArgs={zap-log-level=debug}", "at '/extraArgs/0'"},
		"no duration":               {"metrics.serviceMonitor.interval=often", "at '/metrics/serviceMonitor/interval'"},
		"a flag with a value":       {"extraArgs={--watch-namespaces=a}", "extraArgs: --watch-namespaces has a value of its own, watchNamespaces"},
		"the probes' address":       {"extraArgs={--health-probe-bind-address=:9090}", "extraArgs: --health-probe-bind-address is the chart's own"},
		"a budget of nothing":       {"podDisruptionBudget.enabled=true,podDisruptionBudget.maxUnavailable=null", "podDisruptionBudget: give minAvailable or maxUnavailable"},
		"a label that selects":      {`podLabels.app\.kubernetes\.io/name=x`, "podLabels: app.kubernetes.io/name is the chart's own"},
		"replicas without a lease":  {"replicaCount=2,leaderElection.enabled=false", "more than one replica needs leaderElection.enabled"},
		"a connection unseen":       {"watchNamespaces={team-a},connections[0].name=a,connections[0].spec.tokenSecretRef.name=a", "connections: a would be in default, which watchNamespaces does not list"},
		"everybody's account":       {"serviceAccount.create=false", "serviceAccount.name: name the account that is there"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			out, err := helm(t, "template", "mfa", chart, kubeVersion, "--set", tc.set).CombinedOutput()
			g.Expect(err).To(HaveOccurred())
			g.Expect(string(out)).To(ContainSubstring(tc.want))
			g.Expect(string(out)).NotTo(ContainSubstring("s3cret"))
		})
	}
}
