package install

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/trustbuilder-mfa/operator/test/program"
)

var kustomizeTool = sync.OnceValues(func() (string, error) {
	return program.Tool(context.Background(), "../../go.tools.mod", "kustomize")
})

// kustomize builds an overlay.
func kustomize(t *testing.T, dir string) string {
	t.Helper()
	tool, err := kustomizeTool()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return run(t, tool, "build", dir)
}

// objects reads rendered manifests.
func objects(t *testing.T, manifests string) []*unstructured.Unstructured {
	t.Helper()
	g := NewWithT(t)
	var out []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		g.Expect(err).NotTo(HaveOccurred())
		object := &unstructured.Unstructured{}
		g.Expect(yaml.Unmarshal(document, &object.Object)).To(Succeed(), "%s", document)
		if len(object.Object) > 0 {
			out = append(out, object)
		}
	}
}

// typed gives a rendered object its Go type.
func typed[T any](t *testing.T, object *unstructured.Unstructured) *T {
	t.Helper()
	out := new(T)
	NewWithT(t).Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, out, true)).To(Succeed())
	return out
}

// deployment is the one Deployment among rendered manifests.
func deployment(t *testing.T, rendered []*unstructured.Unstructured) *appsv1.Deployment {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, object := range rendered {
		if object.GetKind() == "Deployment" {
			found = append(found, object)
		}
	}
	NewWithT(t).Expect(found).To(HaveLen(1))
	return typed[appsv1.Deployment](t, found[0])
}
