package plugin

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// program runs the program itself, as kubectl does.
func (w *world) program(args ...string) ran {
	w.t.Helper()
	var out, errOut bytes.Buffer
	args = append([]string{"--kubeconfig", w.kubeconfig, "-n", w.namespace}, args...)
	cmd := exec.CommandContext(w.ctx, filepath.Join(programs, "kubectl-mfa"), args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run() // some of the commands are refused
	return ran{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// dumpColumn is the last column of a hex dump, in which the Kubernetes client logs bodies in protobuf.
var dumpColumn = regexp.MustCompile(`\|(.{1,16})\|`)

// dumped returns the readable part of the hex dumps in a log.
func dumped(log string) string {
	var text strings.Builder
	for _, found := range dumpColumn.FindAllStringSubmatch(log, -1) {
		text.WriteString(found[1])
	}
	return text.String()
}

// TestNothingIsGivenAway: however much is asked to be written, no code and no token is, neither in plain nor as a Secret holds it.
func TestNothingIsGivenAway(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice"))
	w.operate()
	w.settled("alice")
	data := w.codeSecret("alice").Data
	canaries := []string{w.sim.Token(), string(data[v1alpha1.KeyCode]), string(data[v1alpha1.KeyLink])}
	for _, plain := range canaries {
		canaries = append(canaries, base64Of(plain))
	}
	file := filepath.Join(t.TempDir(), "token")
	w.g.Expect(os.WriteFile(file, []byte(w.sim.Token()), 0o600)).To(Succeed())
	for _, args := range [][]string{
		{"code", "alice"},
		{"status", "-A", "-o", "yaml"},
		{"plan", "-A"},
		{"code", "alice", "--reveal"},
		{"issue", "alice", "--purpose", "Unlock", "--force"},
		{"export", "production", "-n", w.mfaNamespace, "--include-managed"},
		{"export", "production", "-n", w.mfaNamespace, "--token-file", file, "--api-overrides", file},
		{"export", "x", "--url", "https://user:" + w.sim.Token()[:9] + "@127.0.0.1:1", "--token-file", file},
		{"doctor", "-A"},
		{"doctor", "production", "-n", w.mfaNamespace, "--token-file", file},
	} {
		got := w.program(append(args, "-v=10")...)
		if slices.Contains(args, "--reveal") {
			w.g.Expect(got.out).To(Equal(string(data[v1alpha1.KeyLink])+"\n"), "the canaries are the right ones")
			got.out = ""
		}
		w.g.Expect(got.out + got.err).NotTo(BeEmpty())
		for _, canary := range canaries {
			for _, text := range []string{got.out, got.err, dumped(got.err)} {
				w.g.Expect(strings.Contains(text, canary)).To(BeFalse(), "%v gives away %q", args, canary)
			}
		}
	}
	w.g.Expect(w.program("status", "-v=10").err).To(ContainSubstring("Response"), "-v works, up to what is safe")
}
