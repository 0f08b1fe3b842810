package install

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

// TestChartValuesAreAllThere: values.yaml is what people read, so whatever the schema allows stands there with its default.
// Lint holds the other direction, for the schema allows nothing that it does not name.
func TestChartValuesAreAllThere(t *testing.T) {
	g := NewWithT(t)
	var values, schema map[string]any
	for name, into := range map[string]*map[string]any{"values.yaml": &values, "values.schema.json": &schema} {
		text, err := os.ReadFile(filepath.Join(chart, name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(yaml.Unmarshal(text, into)).To(Succeed())
	}
	values["global"] = map[string]any{} // Helm's own
	g.Expect(missing("", schema, values)).To(BeEmpty())
}

// missing are the paths of properties that have no value.
func missing(path string, schema map[string]any, values any) []string {
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return nil
	}
	var out []string
	object, _ := values.(map[string]any)
	for name, property := range properties {
		value, ok := object[name]
		if !ok {
			out = append(out, path+name)
			continue
		}
		out = append(out, missing(path+name+".", property.(map[string]any), value)...)
	}
	return out
}
