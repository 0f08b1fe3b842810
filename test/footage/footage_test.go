package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/yaml"
)

// TestRulesAndDashboard: every metric, label and value that an alert or the dashboard names occurs in what the real manager
// says, and every query of the dashboard has an answer.
func TestRulesAndDashboard(t *testing.T) {
	g := NewWithT(t)
	ctrl.SetLogger(logr.Discard())
	footage, err := filepath.Abs(filepath.Join(t.TempDir(), "footage.txt"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(record(t.Context(), "../..", footage, 30*time.Second)).To(Succeed())

	cmd := exec.CommandContext(t.Context(), "go", "-C", "../../hack/dashboard", "run", ".", "-recording", footage, "-rate-interval", "5s")
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))

	text, err := os.ReadFile(footage)
	g.Expect(err).NotTo(HaveOccurred())
	leads, standsBy := 0, 0
	for _, scrape := range strings.Split(string(text), "# SCRAPE ")[1:] {
		head, body, _ := strings.Cut(scrape, "\n")
		switch {
		case strings.Contains(body, "trustbuilder_mfa_build_info"):
			leads++
		case body != "":
			standsBy++
			g.Expect(body).NotTo(ContainSubstring("trustbuilder_mfa_"), "%s stands by and tells of users", head)
		}
	}
	g.Expect(leads).To(BeNumerically(">", 50), "one leads")
	g.Expect(standsBy).To(BeNumerically(">", 50), "one stands by, and does not say that it is at work")
}

// TestGrafanaTakesTheDashboard: the ConfigMap has the label that the sidecar looks for, and the dashboard as it is.
func TestGrafanaTakesTheDashboard(t *testing.T) {
	g := NewWithT(t)
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", "../../config/grafana").Output()
	g.Expect(err).NotTo(HaveOccurred())
	var made corev1.ConfigMap
	g.Expect(yaml.UnmarshalStrict(out, &made)).To(Succeed())
	dashboard, err := os.ReadFile("../../config/grafana/dashboard.json")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Name).To(Equal("grafana-dashboard"))
	g.Expect(made.Labels).To(HaveKeyWithValue("grafana_dashboard", "1"))
	g.Expect(made.Data).To(Equal(map[string]string{"trustbuilder-mfa-operator.json": string(dashboard)}))
}
