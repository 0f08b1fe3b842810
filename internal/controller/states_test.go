package controller

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

var updateStates = flag.Bool("update-states", false, "record the objects in test/gitops/states anew instead of comparing with them")

// statesDir holds one object per state as the API server returns it. The tests of what Argo CD and Flux make of them read
// it, so it must be what the operator writes today.
const statesDir = "../../test/gitops/states"

// state is one that an object can be in, and how it gets there.
type state struct {
	opts    mfasim.Options
	edits   []func(*v1alpha1.MFAConnection)
	happens func(w *testWorld)
	ready   string
}

// TestStates brings every state about and compares the object with the one on record.
func TestStates(t *testing.T) {
	cases := map[string]state{}
	for name, s := range userStates {
		cases["mfauser/"+name] = s
	}
	for name, s := range connectionStates {
		cases["mfaconnection/"+name] = s
	}
	for name, s := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, _, _ := strings.Cut(name, "/")
			w := newTestWorld(t, s.opts, s.edits...)
			began := w.clock.Now()
			s.happens(w)
			object := w.live(kind)
			w.g.Expect(readyIn(w, kind)).To(Equal(s.ready))
			if kind == "mfaconnection" && s.ready != " " { // it has been looked at
				gauge := fmt.Sprintf("trustbuilder_mfa_connection_ready{connection=\"production\",connection_namespace=%q} 1\n", w.mfaNamespace)
				w.g.Expect(strings.Contains(w.exposition(), gauge)).To(Equal(strings.HasPrefix(s.ready, "True ")), "the metric says the same")
			}
			compareState(w, name, w.recordable(object, began))
		})
	}
	t.Run("none on record that is not in the table", func(t *testing.T) {
		g := NewWithT(t)
		files, err := filepath.Glob(filepath.Join(statesDir, "*", "*.yaml"))
		g.Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			name, err := filepath.Rel(statesDir, strings.TrimSuffix(file, ".yaml"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(cases).To(HaveKey(filepath.ToSlash(name)), "remove the file")
		}
	})
}

// TestEveryReasonHasAState: a reason without a state on record is one that nobody has shown to Argo CD and Flux.
func TestEveryReasonHasAState(t *testing.T) {
	g := NewWithT(t)
	seen := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(statesDir, "*", "*.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		text, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		var object struct {
			Status struct {
				Conditions []metav1.Condition `json:"conditions"`
			} `json:"status"`
		}
		g.Expect(yaml.Unmarshal(text, &object)).To(Succeed())
		for _, c := range object.Status.Conditions {
			seen[c.Type], seen[c.Reason] = true, true
		}
	}
	named := conditionsAndReasons(g)
	g.Expect(len(named)).To(BeNumerically(">", 60))
	for name, value := range named {
		g.Expect(seen).To(HaveKey(value), name)
	}
	g.Expect(len(seen)).To(BeNumerically("<=", len(named)), "a condition or reason that the API does not name: %v", slices.Sorted(maps.Keys(seen)))
}

// conditionsAndReasons are the names of the API, read from its source so that none can be forgotten.
func conditionsAndReasons(g Gomega) map[string]string {
	values := map[string]string{}
	files, err := filepath.Glob("../../api/v1alpha1/*_conditions.go")
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		g.Expect(err).NotTo(HaveOccurred())
		ast.Inspect(parsed, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok {
				literal, ok := spec.Values[0].(*ast.BasicLit)
				g.Expect(ok).To(BeTrue(), "%s is not a string", spec.Names[0].Name)
				values[spec.Names[0].Name], err = strconv.Unquote(literal.Value)
				g.Expect(err).NotTo(HaveOccurred())
			}
			return true
		})
	}
	return values
}

// live is the object of a state as the API server returns it.
func (w *testWorld) live(kind string) *unstructured.Unstructured {
	w.t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("MFAUser"))
	key := types.NamespacedName{Namespace: w.namespace, Name: "alice"}
	if kind == "mfaconnection" {
		object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("MFAConnection"))
		key = types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}
	}
	w.g.Expect(w.client.Get(w.ctx, key, object)).To(Succeed())
	return object
}

func readyIn(w *testWorld, kind string) string {
	if kind == "mfaconnection" {
		return ready(w.getConnection().Status.Conditions)
	}
	return ready(w.get("alice").Status.Conditions)
}

var (
	recordedFrom = time.Date(2026, time.November, 24, 8, 0, 0, 0, time.UTC)
	instant      = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// recordable is an object without what differs from run to run. Times keep their distance from the beginning of the world.
func (w *testWorld) recordable(object *unstructured.Unstructured, began time.Time) string {
	w.t.Helper()
	object.SetManagedFields(nil)
	object.SetUID("00000000-0000-0000-0000-000000000000")
	object.SetResourceVersion("1")
	object.SetCreationTimestamp(metav1.NewTime(began))
	if object.GetDeletionTimestamp() != nil {
		object.SetDeletionTimestamp(new(metav1.NewTime(w.clock.Now())))
	}
	if spec := object.Object["spec"].(map[string]any); spec["caBundle"] != nil {
		delete(spec, "caBundle")
		spec["url"] = "https://kiwi.myinwebo.com"
		spec["allowedNamespaces"] = map[string]any{"from": "All"}
	}
	text, err := object.MarshalJSON()
	w.g.Expect(err).NotTo(HaveOccurred())
	for ours, theirs := range map[string]string{w.mfaNamespace: "mfa-system", w.namespace: "team-a"} {
		text = regexp.MustCompile(`\b`+ours+`\b`).ReplaceAll(text, []byte(theirs))
	}
	text = instant.ReplaceAllFunc(text, func(at []byte) []byte {
		parsed, err := time.Parse(time.RFC3339Nano, string(at))
		w.g.Expect(err).NotTo(HaveOccurred())
		return []byte(recordedFrom.Add(parsed.Sub(began)).Format(time.RFC3339Nano))
	})
	text, err = yaml.JSONToYAML(text)
	w.g.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func compareState(w *testWorld, name, got string) {
	w.t.Helper()
	file := filepath.Join(statesDir, filepath.FromSlash(name)+".yaml")
	if *updateStates {
		w.g.Expect(os.MkdirAll(filepath.Dir(file), 0o750)).To(Succeed())
		w.g.Expect(os.WriteFile(file, []byte(got), 0o600)).To(Succeed())
	}
	want, err := os.ReadFile(file)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(got).To(Equal(string(want)), "not as on record; see what has changed, then run the test with -args -update-states")
}
