package plugin

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

var (
	fencePattern   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	lineCommand    = regexp.MustCompile(`(?m)^[$ ]*kubectl mfa ([^\n#|>;]*)`)
	inlineCommand  = regexp.MustCompile("`kubectl mfa ([^`\n]*)`")
	placeholder    = strings.NewReplacer("<n>", "1", "…", "")
	completionKeys = "<Tab>"
)

// TestDocsCommands: every kubectl mfa command in the docs is one, with flags that it has; those in blocks can be run as written.
func TestDocsCommands(t *testing.T) {
	g := NewWithT(t)
	pages, err := filepath.Glob("../../docs/*.md")
	g.Expect(err).NotTo(HaveOccurred())
	seen := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		g.Expect(err).NotTo(HaveOccurred())
		for _, block := range fencePattern.FindAllString(string(text), -1) {
			for _, found := range lineCommand.FindAllStringSubmatch(block, -1) {
				seen++
				understands(t, page, found[1], true)
			}
		}
		for _, found := range inlineCommand.FindAllStringSubmatch(fencePattern.ReplaceAllString(string(text), ""), -1) {
			seen++
			understands(t, page, found[1], false)
		}
	}
	g.Expect(seen).To(BeNumerically(">", 20))
}

// understands parses a command as the plugin would. A whole one has its arguments too.
func understands(t *testing.T, page, line string, whole bool) {
	t.Helper()
	g := NewWithT(t)
	words := strings.Fields(placeholder.Replace(line))
	if len(words) == 0 || strings.Contains(line, completionKeys) {
		return
	}
	root := newRoot(Options{IOStreams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}})
	root.InitDefaultHelpFlag()
	cmd, rest, err := root.Find(words)
	g.Expect(err).NotTo(HaveOccurred(), "%s says: kubectl mfa %s", page, line)
	cmd.InitDefaultHelpFlag()
	g.Expect(cmd.ParseFlags(rest)).To(Succeed(), "%s says: kubectl mfa %s", page, line)
	if whole {
		g.Expect(cmd.ValidateArgs(cmd.Flags().Args())).To(Succeed(), "%s says: kubectl mfa %s", page, line)
	}
}
