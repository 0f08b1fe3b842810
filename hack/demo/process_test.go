package main

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestProcessThatEndsByItself(t *testing.T) {
	g := NewWithT(t)
	failed := make(chan error, 1)
	p, err := startProcess(func(err error) { failed <- err }, filepath.Join(t.TempDir(), "log"), "sh", "-c", "echo one; echo two; echo three >&2; exit 7")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(failed).Should(Receive(MatchError("the sh ended by itself: exit status 7")))
	g.Expect(p.lastLines(2)).To(Equal("  two\n  three"))
	g.Expect(p.stop()).To(Succeed(), "stopping what has ended is no error")
}

func TestProcessThatIsStopped(t *testing.T) {
	g := NewWithT(t)
	failed := make(chan error, 1)
	p, err := startProcess(func(err error) { failed <- err }, filepath.Join(t.TempDir(), "log"), "sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() string { return p.lastLines(1) }).Should(Equal("  ready"))
	g.Expect(p.stop()).To(Succeed())
	g.Expect(p.lastLines(1)).To(Equal("  bye"), "it may end in good order")
	g.Expect(failed).NotTo(Receive())
}

func TestNoProcess(t *testing.T) {
	g := NewWithT(t)
	_, err := startProcess(nil, filepath.Join(t.TempDir(), "log"), "/no/such/program")
	g.Expect(err).To(MatchError(ContainSubstring("make demo")))
	var p *process
	g.Expect(p.stop()).To(Succeed())
	g.Expect(p.lastLines(5)).To(ContainSubstring("not started"))
}
