package controller

import (
	"bytes"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestMetrics(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.apply(w.user("bob"))
	w.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultStatus, Status: 403})
	w.create(w.user("carol"))
	_, err := w.pass("carol")
	w.g.Expect(err).NotTo(HaveOccurred())
	w.create(w.user("lost", func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "dave-example-com" }))
	w.clock.Step(90 * time.Second)

	in := `{connection="production",connection_namespace="` + w.mfaNamespace + `"`
	w.expectMetrics(
		`trustbuilder_mfa_api_calls_total{operation="CreateAccount",outcome="Denied"} 1`,
		`trustbuilder_mfa_api_calls_total{operation="CreateAccount",outcome="ok"} 2`,
		`trustbuilder_mfa_api_calls_total{operation="ListAccounts",outcome="ok"} 1`,
		`trustbuilder_mfa_api_call_duration_seconds_count{operation="CreateAccount"} 3`,
		`trustbuilder_mfa_codes_issued_total{purpose="Enrollment",type="Link"} 2`,
		`trustbuilder_mfa_connection_ready`+in+`} 1`,
		`trustbuilder_mfa_listing_age_seconds`+in+`} 90`,
		`trustbuilder_mfa_accounts`+in+`} 3`,
		`trustbuilder_mfa_users`+in+`,ready="True",state="PendingActivation"} 2`,
		`trustbuilder_mfa_users`+in+`,ready="False",state="None"} 1`,
		`trustbuilder_mfa_users{connection="",connection_namespace="",ready="Unknown",state="None"} `, // also of other tests
		`trustbuilder_mfa_token_expiry_timestamp_seconds`+in+`}`,
	)
	text := w.exposition()
	for _, name := range []string{"alice", "bob", "carol", "dave", "example.com", w.namespace, mfasim.DefaultAdminLogin, w.sim.Token()} {
		w.g.Expect(text).NotTo(ContainSubstring(name), "who it is about stays out of metrics")
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(problems).To(BeEmpty())

	w.sim.RevokeToken(w.sim.Token())
	w.tick(10 * time.Minute)
	w.expectMetrics(`trustbuilder_mfa_connection_ready`+in+`} 0`, `trustbuilder_mfa_api_calls_total{operation="ListAccounts",outcome="Unauthenticated"} 1`)

	conn := w.getConnection()
	w.deleteObject(conn)
	w.force(conn)
	_, err = w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(conn)})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.exposition()).NotTo(ContainSubstring("production"), "no series stays behind")
}

// expectMetrics looks for samples by how their line begins.
func (w *testWorld) expectMetrics(lines ...string) {
	w.t.Helper()
	text := w.exposition()
	for _, line := range lines {
		w.g.Expect(text).To(ContainSubstring("\n" + line))
	}
}

// exposition is what a scrape would read.
func (w *testWorld) exposition() string {
	w.t.Helper()
	registry := prometheus.NewPedanticRegistry() // checks what it is given against Describe
	w.g.Expect(registry.Register(w.users.metrics)).To(Succeed())
	families, err := registry.Gather()
	w.g.Expect(err).NotTo(HaveOccurred())
	text := bytes.NewBufferString("\n")
	for _, family := range families {
		_, err := expfmt.MetricFamilyToText(text, family)
		w.g.Expect(err).NotTo(HaveOccurred())
	}
	return text.String()
}
