package plugin

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"github.com/trustbuilder-mfa/operator/internal/controller"
)

func base64Of(plain string) string { return base64.StdEncoding.EncodeToString([]byte(plain)) }

func newScheme() *runtime.Scheme {
	scheme := controller.NewScheme()
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	return scheme
}

// kubectl runs kubectl with the plugin on its path.
func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.ctx, cluster.Kubectl(), args...)
	cmd.Env = []string{"PATH=" + programs, "KUBECONFIG=" + w.kubeconfig, "HOME=" + w.t.TempDir()}
	out, err := cmd.Output()
	w.g.Expect(err).NotTo(HaveOccurred(), string(out))
	return string(out)
}

// TestKubectlFindsThePlugin: as kubectl mfa, with kubectl's own flags, and with completion of names by kubectl's.
func TestKubectlFindsThePlugin(t *testing.T) {
	w := newWorld(t)
	w.create(w.user("alice"), w.user("alfred"), w.user("bob"))
	w.g.Expect(w.kubectl("mfa", "status", "-n", w.namespace)).To(ContainSubstring("alfred@example.com"))
	w.g.Expect(w.kubectl("mfa", "--version")).To(Equal("kubectl mfa version v1.2.3\n"))
	cases := map[string]struct {
		words []string
		want  []string
	}{
		"a user":      {[]string{"code", "-n", w.namespace, "al"}, []string{"alfred\talfred@example.com", "alice\talice@example.com"}},
		"connections": {[]string{"export", "-n", w.mfaNamespace, "p"}, []string{"production\t" + w.url}},
		"purposes":    {[]string{"issue", "alice", "--purpose", "Un"}, []string{"Unlock"}},
		"namespaces":  {[]string{"status", "-n", w.namespace}, []string{w.namespace}},
		"commands":    {[]string{"doc"}, []string{"doctor\tLook for what is wrong, and say what to do"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var offered []string
			for line := range strings.Lines(w.kubectl(append([]string{"__complete", "mfa"}, tc.words...)...)) {
				if line = strings.TrimRight(line, "\n"); !strings.HasPrefix(line, ":") {
					offered = append(offered, line)
				}
			}
			g.Expect(offered).To(ContainElements(tc.want))
			if name == "a user" {
				g.Expect(offered).To(HaveLen(2))
			}
		})
	}
}

// TestHelp: each command says what it is for and how it is called.
func TestHelp(t *testing.T) {
	w := newWorld(t)
	for _, command := range []string{"status", "code", "issue", "plan", "export", "reconcile", "approve", "doctor"} {
		got := w.mfa(command, "--help")
		w.g.Expect(got.code).To(BeZero())
		w.g.Expect(got.out).To(ContainSubstring("Usage:\n  kubectl mfa " + command))
		w.g.Expect(got.out).To(MatchRegexp(`Examples:\n(  #.*\n)*  .*kubectl mfa %s`, command))
	}
}

// TestProgress: a bar where a person looks, and on standard error alone.
func TestProgress(t *testing.T) {
	w := newWorld(t)
	w.sim.SeedN(250, "seed")
	dir := filepath.Join(t.TempDir(), "out")
	seen := w.atTerminal("export", "production", "-n", w.mfaNamespace, "--output-dir", dir)
	w.g.Expect(seen.code).To(BeZero(), seen.out)
	w.g.Expect(seen.out).To(MatchRegexp(`accounts.*\(\d+/-|accounts.*25\d`))
	files, err := os.ReadDir(dir)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(files).To(HaveLen(250))
	w.g.Expect(w.export().err).NotTo(ContainSubstring("accounts  "), "no bar in a log")
	var log bytes.Buffer
	seen = w.atTerminalBut(&log, "export", "production", "-n", w.mfaNamespace)
	w.g.Expect(seen.code).To(BeZero(), log.String())
	w.g.Expect(seen.out).NotTo(ContainSubstring("accounts"), "no bar between the manifests")
}
