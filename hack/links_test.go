package hack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fencePattern   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	codePattern    = regexp.MustCompile("`[^`\n]*`")
	makePattern    = regexp.MustCompile("(?m)(?:^|[`$(] ?|&& )make ([a-z][a-z-]*)")
	targetPattern  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
)

// TestDocsLinks: every link inside this repository leads to a file that is there, and to a heading that is in it.
func TestDocsLinks(t *testing.T) {
	for _, path := range markdownFiles(t) {
		t.Run(path, func(t *testing.T) {
			g := NewWithT(t)
			prose := codePattern.ReplaceAllString(fencePattern.ReplaceAllString(read(t, path), ""), "")
			for _, found := range linkPattern.FindAllStringSubmatch(prose, -1) {
				target, anchor, _ := strings.Cut(found[1], "#")
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue // nobody here can look
				}
				file := path
				if target != "" {
					file = filepath.Join(filepath.Dir(path), target)
				}
				_, err := os.Stat(filepath.Join(root, file))
				g.Expect(err).NotTo(HaveOccurred(), "the link %s", found[1])
				if anchor != "" && err == nil {
					g.Expect(anchors(read(t, file))).To(ContainElement(anchor), "the link %s", found[1])
				}
			}
		})
	}
}

// TestDocsMakeTargets: every make command in the docs is a target of the Makefile.
func TestDocsMakeTargets(t *testing.T) {
	g := NewWithT(t)
	var targets []string
	for _, found := range targetPattern.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, found[1])
	}
	seen := 0
	for _, path := range markdownFiles(t) {
		for _, found := range makePattern.FindAllStringSubmatch(read(t, path), -1) {
			seen++
			g.Expect(targets).To(ContainElement(found[1]), "%s says: make %s", path, found[1])
		}
	}
	g.Expect(seen).To(BeNumerically(">", 10))
}

// TestAnchors: as GitHub makes them of headings.
func TestAnchors(t *testing.T) {
	g := NewWithT(t)
	g.Expect(anchors("# Install it, `now`!\n\ntext\n\n```sh\n# no heading\n```\n## A-b_c\n## A-b_c\n")).To(Equal([]string{"install-it-now", "a-b_c", "a-b_c-1"}))
}

// anchors returns what links can point at in a page.
func anchors(page string) (all []string) {
	unwanted := regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
	for _, found := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(page, ""), -1) {
		plain := linkPattern.ReplaceAllString(found[1], "]")
		anchor := strings.ReplaceAll(unwanted.ReplaceAllString(strings.ToLower(plain), ""), " ", "-")
		name := anchor
		for n := 1; slices.Contains(all, name); n++ {
			name = anchor + "-" + string(rune('0'+n))
		}
		all = append(all, name)
	}
	return all
}

// root is where the repository lies, seen from this folder.
const root = ".."

// markdownFiles are the pages in version control, and new ones that are about to be.
func markdownFiles(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	cmd.Dir = root
	out, err := cmd.Output()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return strings.Fields(string(out))
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(data)
}
