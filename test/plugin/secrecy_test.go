package plugin

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// program runs the program itself, as kubectl does, and returns all that it writes.
func (w *world) program(name string, args ...string) string {
	w.t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(w.ctx, filepath.Join(programs, name), args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // some of the commands are refused
	return out.String()
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
		{"issue", "alice", "--purpose", "Unlock", "--force"},
		{"export", "production", "-n", w.mfaNamespace, "--include-managed"},
		{"export", "production", "-n", w.mfaNamespace, "--token-file", file, "--api-overrides", file},
		{"export", "x", "--url", "https://user:" + w.sim.Token()[:9] + "@127.0.0.1:1", "--token-file", file},
		{"doctor", "-A"},
		{"doctor", "-A", "--token-file", file},
	} {
		args = append([]string{"--kubeconfig", w.kubeconfig, "-n", w.namespace}, append(args, "-v=10")...)
		out := w.program("kubectl-mfa", args...)
		w.g.Expect(out).NotTo(BeEmpty())
		for _, canary := range canaries {
			w.g.Expect(strings.Contains(out, canary)).To(BeFalse(), "%v gives away %q", args, canary)
		}
	}
	verbose := w.program("kubectl-mfa", "--kubeconfig", w.kubeconfig, "-n", w.namespace, "status", "-v=10")
	w.g.Expect(verbose).To(ContainSubstring("Response"), "-v works, up to what is safe")
	revealed := w.program("kubectl-mfa", "--kubeconfig", w.kubeconfig, "-n", w.namespace, "code", "alice", "--reveal")
	w.g.Expect(revealed).To(Equal(string(data[v1alpha1.KeyLink])+"\n"), "the canaries are the right ones")
}
