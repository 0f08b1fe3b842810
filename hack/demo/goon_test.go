package main

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// TestHowToGoOn: the plugin that is built for the demo is found from any folder.
func TestHowToGoOn(t *testing.T) {
	g := NewWithT(t)
	s, err := newStage("bin", nil)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = os.RemoveAll(s.dir) }()
	s.cluster, s.simulator, s.manage = &localcluster.Cluster{}, &simulator{}, &process{}
	bin, err := filepath.Abs("bin")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.howToGoOn()).To(MatchRegexp(`export PATH=\S+:%s:\$PATH `, bin))
	g.Expect(s.howToGoOn()).To(ContainSubstring("kubectl mfa status -A\n"))
}
