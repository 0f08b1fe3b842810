package hack_test

import (
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

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// pages document one kind each.
var pages = map[string]string{
	"../docs/mfauser.md":       "../config/crd/bases/trustbuilder-mfa.dev_mfausers.yaml",
	"../docs/mfaconnection.md": "../config/crd/bases/trustbuilder-mfa.dev_mfaconnections.yaml",
}

// TestEveryFieldIsDocumented holds the pages against the CRDs.
func TestEveryFieldIsDocumented(t *testing.T) {
	for page, crd := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			g := NewWithT(t)
			words := wordsOfCode(g, page)
			fields := fieldsOf(g, crd)
			g.Expect(fields).To(HaveKey("spec"))
			var missing []string
			for _, field := range slices.Sorted(maps.Keys(fields)) {
				if !words[field] {
					missing = append(missing, field)
				}
			}
			g.Expect(missing).To(BeEmpty())
		})
	}
}

// TestEveryReasonIsDocumented holds the pages against the conditions, reasons, states and phases of the API.
func TestEveryReasonIsDocumented(t *testing.T) {
	g := NewWithT(t)
	words := map[string]bool{}
	for page := range pages {
		maps.Copy(words, wordsOfCode(g, page))
	}
	values := constantsOf(g, "../api/v1alpha1", regexp.MustCompile(`^(Reason|Condition|State|Code|Purpose|Annotation)[A-Z]`))
	g.Expect(len(values)).To(BeNumerically(">", 60))
	var missing []string
	for name, value := range values {
		if !words[value] && !words[value[strings.LastIndex(value, "/")+1:]] {
			missing = append(missing, name)
		}
	}
	g.Expect(missing).To(BeEmpty())
}

// wordsOfCode are the words between backticks and in the code blocks of a page.
func wordsOfCode(g Gomega, page string) map[string]bool {
	text, err := os.ReadFile(page)
	g.Expect(err).NotTo(HaveOccurred())
	words := map[string]bool{}
	for _, code := range regexp.MustCompile("(?s)```.*?```|`[^`]+`").FindAllString(string(text), -1) {
		for _, word := range regexp.MustCompile(`[A-Za-z][A-Za-z0-9-]*`).FindAllString(code, -1) {
			words[word] = true
		}
	}
	return words
}

// fieldsOf are the names of all fields of a kind but those of conditions, metadata and lists' items in status.
func fieldsOf(g Gomega, crd string) map[string]bool {
	text, err := os.ReadFile(crd)
	g.Expect(err).NotTo(HaveOccurred())
	var object apiextensionsv1.CustomResourceDefinition
	g.Expect(yaml.UnmarshalStrict(text, &object)).To(Succeed())
	schema := object.Spec.Versions[0].Schema.OpenAPIV3Schema
	fields := map[string]bool{"spec": true}
	collect(schema.Properties["spec"], fields, true)
	collect(schema.Properties["status"], fields, false)
	return fields
}

func collect(schema apiextensionsv1.JSONSchemaProps, into map[string]bool, deep bool) {
	for name, property := range schema.Properties {
		if name == "selector" || name == "observedGeneration" || name == "conditions" {
			continue // as in every other kind
		}
		into[name] = true
		if deep {
			collect(property, into, deep)
		}
		if deep && property.Items != nil && property.Items.Schema != nil {
			collect(*property.Items.Schema, into, deep)
		}
	}
}

// constantsOf are the string constants of a package whose names match.
func constantsOf(g Gomega, dir string, names *regexp.Regexp) map[string]string {
	values := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		g.Expect(err).NotTo(HaveOccurred())
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !names.MatchString(spec.Names[0].Name) {
				return true
			}
			value := spec.Values[0]
			if sum, ok := value.(*ast.BinaryExpr); ok {
				value = sum.Y // Group + "/name"
			}
			if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				values[spec.Names[0].Name], _ = strconv.Unquote(literal.Value)
			}
			return true
		})
	}
	return values
}
