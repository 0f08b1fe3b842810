package main

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// TestSnippetIsGenerated: what is merged into Argo CD is what the scripts say and their tests have tried.
func TestSnippetIsGenerated(t *testing.T) {
	g := NewWithT(t)
	want, err := generate(filepath.Join("../..", scripts))
	g.Expect(err).NotTo(HaveOccurred())
	got, err := os.ReadFile(filepath.Join("../..", target))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(got)).To(Equal(string(want)), "run make manifests")
}
