package controller

import (
	"os"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

var (
	// metricRow is one of the table of metrics: | `name` | `label`, … | meaning |
	metricRow = regexp.MustCompile("(?m)^\\| `(trustbuilder_mfa_[a-z_]+)` \\| ([^|]*) \\| ([^|]*) \\|$")
	labelName = regexp.MustCompile("`([a-z_]+)`")
	// metricDesc is how a prometheus.Desc spells itself, which tells nobody in another way.
	metricDesc = regexp.MustCompile(`fqName: "([^"]*)", help: "([^"]*)", unit: "[^"]*", constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)
)

// documented is a metric without those labels that all have.
type documented struct{ labels, meaning string }

// TestMetricsAreDocumented: docs/operations.md has a row for each metric, with its labels and what it says of itself.
func TestMetricsAreDocumented(t *testing.T) {
	w := newBareWorld(t, mfasim.Options{})
	text, err := os.ReadFile("../../docs/operations.md")
	w.g.Expect(err).NotTo(HaveOccurred())
	table := map[string]documented{}
	for _, row := range metricRow.FindAllStringSubmatch(string(text), -1) {
		var labels []string
		for _, label := range labelName.FindAllStringSubmatch(row[2], -1) {
			labels = append(labels, label[1])
		}
		table[row[1]] = documented{strings.Join(labels, ","), row[3]}
	}

	descs := make(chan *prometheus.Desc, 100)
	w.users.metrics.Describe(descs)
	close(descs)
	code := map[string]documented{}
	for desc := range descs {
		is := metricDesc.FindStringSubmatch(desc.String())
		w.g.Expect(is).NotTo(BeNil(), desc.String())
		constant, _, _ := strings.Cut(is[3], "=")
		labels := strings.TrimPrefix(is[4], "connection_namespace,connection")
		w.g.Expect(labels == is[4]).To(Equal(constant != ""), "all but the build's name their connection")
		code[is[1]] = documented{strings.TrimPrefix(constant+labels, ","), is[2]}
	}
	w.g.Expect(table).To(Equal(code))
}
