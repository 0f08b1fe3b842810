package hack_test

import (
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// TestReadmeRoutes holds the README's table of remote operations against the one that the client works with.
func TestReadmeRoutes(t *testing.T) {
	g := NewWithT(t)
	readme, err := os.ReadFile("../README.md")
	g.Expect(err).NotTo(HaveOccurred())
	routes, _, _ := strings.Cut(mfaclient.DefaultRoutes().Table(), "\n\n")
	g.Expect(routes).To(ContainSubstring("ListAccounts"))
	g.Expect(string(readme)).To(ContainSubstring(routes))
}
