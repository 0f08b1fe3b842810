package controller

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
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
		`trustbuilder_mfa_build_info{version="v1.2.3"} 1`,
		`trustbuilder_mfa_api_calls_total`+in+`,operation="CreateAccount",outcome="Denied"} 1`,
		`trustbuilder_mfa_api_calls_total`+in+`,operation="CreateAccount",outcome="ok"} 2`,
		`trustbuilder_mfa_api_calls_total`+in+`,operation="ListAccounts",outcome="ok"} 1`,
		`trustbuilder_mfa_api_call_duration_seconds_count`+in+`,operation="CreateAccount"} 3`,
		`trustbuilder_mfa_codes_issued_total`+in+`,purpose="Enrollment",type="Link"} 2`,
		`trustbuilder_mfa_connection_ready`+in+`} 1`,
		`trustbuilder_mfa_listing_age_seconds`+in+`} 90`,
		`trustbuilder_mfa_resync_interval_seconds`+in+`} 600`,
		`trustbuilder_mfa_accounts`+in+`} 3`,
		`trustbuilder_mfa_removals_held`+in+`} 0`,
		`trustbuilder_mfa_users`+in+`,ready="True",state="PendingActivation"} 2`,
		`trustbuilder_mfa_users`+in+`,ready="False",state="None"} 1`,
		`trustbuilder_mfa_users{connection="",connection_namespace="",ready="Unknown",state="None"} `, // also of other tests
		`trustbuilder_mfa_users_not_ready`+in+`,reason="Denied"} 1`,
		`trustbuilder_mfa_users_enrollment`+in+`,stage="CodeOut"} 2`,
		`trustbuilder_mfa_users_enrollment`+in+`,stage="NoAccount"} 1`,
		`trustbuilder_mfa_codes`+in+`,phase="Active",purpose="Enrollment",type="Link"} 2`,
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
	w.expectMetrics(`trustbuilder_mfa_connection_ready`+in+`} 0`, `trustbuilder_mfa_api_calls_total`+in+`,operation="ListAccounts",outcome="Unauthenticated"} 1`)

	conn := w.getConnection()
	w.deleteObject(conn)
	w.force(conn)
	_, err = w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(conn)})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(w.exposition()).NotTo(ContainSubstring("production"), "no series stays behind")
	w.users.metrics.callsOf(client.ObjectKeyFromObject(conn))(mfaclient.Call{Operation: "GetAccount", Outcome: "ok"})
	w.g.Expect(w.exposition()).NotTo(ContainSubstring("production"), "a call that ends later makes none")
}

// TestMetricsOfALife: one person from the code to the device, and another who is held back.
func TestMetricsOfALife(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{}, func(c *v1alpha1.MFAConnection) { c.Spec.ChangeGuard.MaxRemovals = new(int32(0)) })
	in := `{connection="production",connection_namespace="` + w.mfaNamespace + `"`
	w.apply(w.user("alice"))
	w.apply(w.user("bob"))

	w.clock.Step(20*24*time.Hour + time.Minute)
	w.expectMetrics(`trustbuilder_mfa_codes_expiring` + in + `,purpose="Enrollment",type="Link"} 2`)
	w.g.Expect(w.sim.UseCode(string(w.secret("alice").Data[v1alpha1.KeyLink]))).To(Succeed())
	w.tick(time.Minute)
	w.settle("alice")
	w.expectMetrics(
		`trustbuilder_mfa_codes`+in+`,phase="Used",purpose="Enrollment",type="Link"} 1`,
		`trustbuilder_mfa_codes_expiring`+in+`,purpose="Enrollment",type="Link"} 1`,
		`trustbuilder_mfa_users_enrollment`+in+`,stage="Enrolled"} 1`,
		`trustbuilder_mfa_users_enrollment`+in+`,stage="CodeOut"} 1`,
	)

	w.clock.Step(24 * time.Hour)
	w.settle("bob")
	w.deleteObject(w.get("alice"))
	w.settle("alice")
	w.expectMetrics(
		`trustbuilder_mfa_codes`+in+`,phase="Expired",purpose="Enrollment",type="Link"} 1`,
		`trustbuilder_mfa_users_enrollment`+in+`,stage="CodeGone"} 1`,
		`trustbuilder_mfa_users_not_ready`+in+`,reason="RemovalHeld"} 1`,
		`trustbuilder_mfa_removals_held`+in+`} 1`,
	)
	w.g.Expect(w.exposition()).NotTo(ContainSubstring("trustbuilder_mfa_codes_expiring" + in))
}

// TestEnrollmentStage: how far a person has come, by account and code.
func TestEnrollmentStage(t *testing.T) {
	issued := func(phase v1alpha1.CodePhase) *v1alpha1.CodeStatus {
		return &v1alpha1.CodeStatus{Phase: phase, IssuedAt: new(metav1.Now())}
	}
	cases := map[string]struct {
		status v1alpha1.MFAUserStatus
		want   string
	}{
		"just a manifest":          {v1alpha1.MFAUserStatus{}, stageNoAccount},
		"nothing handed out":       {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StatePendingActivation}, stageAccount},
		"a code asked for":         {v1alpha1.MFAUserStatus{AccountID: "1", Code: &v1alpha1.CodeStatus{Phase: v1alpha1.CodeIssuing}}, stageAccount},
		"a live code":              {v1alpha1.MFAUserStatus{AccountID: "1", Code: issued(v1alpha1.CodeActive)}, stageCodeOut},
		"a code to be switched on": {v1alpha1.MFAUserStatus{AccountID: "1", Code: issued(v1alpha1.CodeInactivePhase)}, stageCodeOut},
		"run out":                  {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StateExpired, Code: issued(v1alpha1.CodeExpired)}, stageCodeGone},
		"enrolled, and lost":       {v1alpha1.MFAUserStatus{AccountID: "1", Code: issued(v1alpha1.CodeUsed)}, stageNoAccount},
		"in an unknown state":      {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StateUnknown, Code: issued(v1alpha1.CodeUsed)}, stageAccount},
		"enrolled":                 {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StateActivated, Code: issued(v1alpha1.CodeUsed)}, stageEnrolled},
		"adopted":                  {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StateActivated}, stageEnrolled},
		"enrolled, PIN forgotten":  {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StatePinBlocked}, stageEnrolled},
		"blocked, however far":     {v1alpha1.MFAUserStatus{AccountID: "1", State: v1alpha1.StateBlocked, Code: issued(v1alpha1.CodeActive)}, stageBlocked},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(enrollmentStage(&v1alpha1.MFAUser{Status: tc.status})).To(Equal(tc.want))
		})
	}
}

// TestTokenExpiryIsShown: also of a token that has run out, after a restart too, and of one that was put in its place.
func TestTokenExpiryIsShown(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	expiry := func(at time.Time) string {
		return fmt.Sprintf(`trustbuilder_mfa_token_expiry_timestamp_seconds{connection="production",connection_namespace="%s"} %s`+"\n",
			w.mfaNamespace, strconv.FormatFloat(float64(at.Unix()), 'g', -1, 64))
	}
	first := w.clock.Now().Add(time.Hour)
	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, time.Hour))
	w.expectMetrics(expiry(first))
	w.clock.Step(2 * time.Hour)
	w.startOperator()
	w.reconcileConnection()
	w.expectMetrics(expiry(first))
	w.setToken(w.sim.IssueToken(mfasim.DefaultAdminLogin, 4*time.Hour))
	w.expectMetrics(expiry(w.clock.Now().Add(4 * time.Hour)))
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
