package api_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// codeOfDocs is a block of commands, or code within a line.
var codeOfDocs = regexp.MustCompile("(?s)```sh\n(.+?)```|`([^`\n]+)`")

// TestTokenRotation runs what the docs say for a new token, on a Secret made in each of the usual ways: the token is another
// one afterwards, and the label without which it is not used stays.
func TestTokenRotation(t *testing.T) {
	manifest := fmt.Sprintf(`{apiVersion: v1, kind: Secret, metadata: {name: trustbuilder-api-token, labels: {%s: "true"}}, stringData: {token: old}}`, v1alpha1.LabelToken)
	made := map[string]string{
		"create, then label": "kubectl create secret generic trustbuilder-api-token --from-literal=token=old; kubectl label secret trustbuilder-api-token " + v1alpha1.LabelToken + "=true",
		"apply":              "echo '" + manifest + "' | kubectl apply -f -",
		"server-side apply":  "echo '" + manifest + "' | kubectl apply --server-side -f -",
	}
	for n, rotate := range rotations(NewWithT(t)) {
		for way, create := range made {
			t.Run(fmt.Sprintf("%d, %s", n, way), func(t *testing.T) {
				t.Parallel()
				g, ctx := NewWithT(t), t.Context()
				namespace := newNamespace(ctx, g)
				shell := func(script string) {
					cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
					cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.AdminKubeconfig(), "TOKEN=new",
						"PATH="+filepath.Dir(cluster.Kubectl())+":"+os.Getenv("PATH"))
					out, err := cmd.CombinedOutput()
					g.Expect(err).NotTo(HaveOccurred(), "%s\n%s", script, out)
				}
				shell(strings.ReplaceAll(create, "kubectl ", "kubectl -n "+namespace+" "))
				shell(strings.ReplaceAll(rotate, "-n mfa-system", "-n "+namespace))
				var secret corev1.Secret
				g.Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "trustbuilder-api-token"}, &secret)).To(Succeed())
				g.Expect(secret.Labels).To(HaveKeyWithValue(v1alpha1.LabelToken, "true"))
				g.Expect(secret.Data).To(Equal(map[string][]byte{"token": []byte("new")}))
			})
		}
	}
}

// rotations are the commands of docs that put $TOKEN into the Secret, each once.
func rotations(g Gomega) (commands []string) {
	pages, err := filepath.Glob("../../docs/*.md")
	g.Expect(err).NotTo(HaveOccurred())
	for _, page := range pages {
		text, err := os.ReadFile(page)
		g.Expect(err).NotTo(HaveOccurred())
		for _, found := range codeOfDocs.FindAllStringSubmatch(string(text), -1) {
			command, _, _ := strings.Cut(found[1]+found[2], "kubectl mfa reconcile") // there is no connection here
			if strings.Contains(command, "$TOKEN") && strings.Contains(command, "secret") {
				commands = append(commands, strings.TrimSpace(command))
			}
		}
	}
	g.Expect(commands).To(HaveLen(3), "in the runbook, the page on operations and the recipe")
	slices.Sort(commands)
	return slices.Compact(commands)
}
