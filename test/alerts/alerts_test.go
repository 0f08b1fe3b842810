package alerts

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// moment is one look at one alert in a world of series.
type moment struct {
	series map[string]string // what Prometheus has scraped, each minute from the start on, in promtool's notation
	at     string            // when it is looked at
	want   []firing          // nil: the alert is silent
}

// firing is one alert that is expected: what its labels are besides the severity, and how it is summed up.
type firing struct {
	labels  map[string]string
	summary string
}

func silent(m moment) bool { return len(m.want) == 0 }

// TestAlerts lets promtool look at every moment of the tables.
func TestAlerts(t *testing.T) {
	g := NewWithT(t)
	spec, rules := readRules(g)
	for _, r := range rules {
		t.Run(r.Alert, func(t *testing.T) {
			g := NewWithT(t)
			moments := maps.Clone(alerts[r.Alert])
			g.Expect(moments).To(And(ContainElement(Satisfy(silent)), ContainElement(Not(Satisfy(silent)))), "seen firing and seen silent")
			if r.Alert != "MFAOperatorAbsent" {
				moments["nothing is known"] = moment{at: "1d"}
			}
			dir := t.TempDir()
			writeYAML(g, filepath.Join(dir, "rules.yaml"), spec)
			writeYAML(g, filepath.Join(dir, "moments.yaml"), map[string]any{
				"rule_files": []string{"rules.yaml"}, "evaluation_interval": "1m", "tests": r.tests(moments),
			})
			out, err := promtool(t, dir, "test", "rules", "moments.yaml")
			g.Expect(err).NotTo(HaveOccurred(), out)
		})
	}
	g.Expect(alerts).To(HaveLen(len(rules)), "the tables are about no other alerts")
}

// tests spells moments as promtool reads them.
func (r rule) tests(moments map[string]moment) (tests []any) {
	for _, name := range slices.Sorted(maps.Keys(moments)) {
		m := moments[name]
		input := []any{}
		for _, series := range slices.Sorted(maps.Keys(m.series)) {
			input = append(input, map[string]string{"series": series, "values": m.series[series]})
		}
		expected := []any{}
		for _, f := range m.want {
			expected = append(expected, r.expect(f))
		}
		tests = append(tests, map[string]any{
			"name": name, "interval": "1m", "input_series": input,
			"alert_rule_test": []any{map[string]any{"eval_time": m.at, "alertname": r.Alert, "exp_alerts": expected}},
		})
	}
	return tests
}

// expect is the alert with all its labels and annotations.
func (r rule) expect(f firing) map[string]any {
	labels := maps.Clone(r.Labels)
	maps.Copy(labels, f.labels)
	annotations := maps.Clone(r.Annotations)
	annotations["summary"] = f.summary
	for name, value := range f.labels {
		annotations["description"] = strings.ReplaceAll(annotations["description"], "{{ $labels."+name+" }}", value)
	}
	return map[string]any{"exp_labels": labels, "exp_annotations": annotations}
}
