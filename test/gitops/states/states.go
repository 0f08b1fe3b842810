// Package states holds one object per state that an MFAUser or MFAConnection can be in, as the API server returns it, and
// what Argo CD and Flux must make of it. internal/controller brings the states about and records them; its tests fail when
// one on record is not what the operator writes.
package states

import (
	"embed"
	"io/fs"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

//go:embed verdicts.yaml mfauser mfaconnection
var files embed.FS

// State is one recorded object and the verdicts on it.
type State struct {
	// Health is Argo CD's, KStatus is Flux's.
	Health  string `json:"health"`
	KStatus string `json:"kstatus"`
	// Object is of one's own, to be changed at will.
	Object *unstructured.Unstructured `json:"-"`
}

// All returns the states by name. A recorded object without a verdict fails the test, and so does a verdict on none.
func All(t *testing.T) map[string]State {
	t.Helper()
	g := NewWithT(t)
	verdicts := map[string]State{}
	text, err := files.ReadFile("verdicts.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(yaml.UnmarshalStrict(text, &verdicts)).To(Succeed())
	paths, err := fs.Glob(files, "*/*.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(paths)).To(BeNumerically(">", 60))
	all := map[string]State{}
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".yaml")
		g.Expect(verdicts).To(HaveKey(name), "a state without a verdict")
		state := verdicts[name]
		state.Object = read(g, path)
		all[name] = state
		delete(verdicts, name)
	}
	g.Expect(verdicts).To(BeEmpty(), "verdicts on states that are not on record")
	return all
}

// read decodes as a client of the API server does: whole numbers stay whole.
func read(g Gomega, path string) *unstructured.Unstructured {
	text, err := files.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	json, err := yaml.YAMLToJSON(text)
	g.Expect(err).NotTo(HaveOccurred())
	object := &unstructured.Unstructured{}
	g.Expect(object.UnmarshalJSON(json)).To(Succeed())
	return object
}
