package e2e

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/internal/manager"
)

// TestLeastPrivilege lets the operator do all that it can do and holds what it was allowed to do against what config/
// allows: no request was denied, and no right is left over.
func TestLeastPrivilege(t *testing.T) {
	w := newWorld(t)
	log := w.audit()
	shipped := w.shippedRules()
	w.g.Expect(shipped).NotTo(BeEmpty())
	address := freeAddress(w)
	everythingOn := func(o *manager.Options) {
		o.LeaderElect, o.MetricsSecure, o.MetricsAddress = true, true, address
	}

	op := w.start(everythingOn)
	w.tellCreation()
	w.tellRefusal()
	w.tellDrift()
	w.tellBlock()
	w.tellGroups()
	w.tellAdoption()
	w.tellMail()
	w.tellEnrolment()
	w.checkMetricsEndpoint(address)
	op.stop()

	// The same rights have to do on an API server without streaming lists.
	w.oldServer = true
	w.start(everythingOn)
	w.tellRotation(w.sim.Token())
	w.tellRemoval()
	for _, name := range []string{"dave", "erin"} {
		w.g.Expect(w.client.Delete(w.ctx, w.get(name))).To(Succeed())
	}
	w.awaitGone("dave", "erin")
	w.g.Expect(w.client.Delete(w.ctx, w.getConnection())).To(Succeed())
	w.g.Eventually(func() string { return w.getConnection().Name }).Should(BeEmpty())

	w.g.Expect(log.denied()).To(BeEmpty(), "a rule is missing in config/rbac (see internal/controller/rbac.go)")
	used := log.used()
	var superfluous []string
	for right := range shipped {
		if !used[right] {
			superfluous = append(superfluous, right.String())
		}
	}
	slices.Sort(superfluous)
	w.g.Expect(superfluous).To(BeEmpty(), "rights in config/rbac that nothing needs")
}

// checkMetricsEndpoint asks as somebody with the right to, as somebody without, and as nobody.
func (w *world) checkMetricsEndpoint(address string) {
	w.t.Helper()
	for _, name := range []string{"prometheus", "stranger"} {
		w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: name}})
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheus-" + w.mfaNamespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "trustbuilder-mfa-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.mfaNamespace, Name: "prometheus"}},
	}
	w.create(binding)
	w.g.Eventually(func() int { status, _ := w.scrape(address, "prometheus"); return status }).Should(Equal(http.StatusOK))
	_, body := w.scrape(address, "prometheus")
	w.g.Expect(body).To(ContainSubstring("trustbuilder_mfa_users{"))
	status, body := w.scrape(address, "stranger")
	w.g.Expect(status).To(Equal(http.StatusForbidden))
	w.g.Expect(body).NotTo(ContainSubstring("trustbuilder_mfa"))
	status, _ = w.scrape(address, "")
	w.g.Expect(status).To(Equal(http.StatusUnauthorized))
}

// scrape reads the metrics as a ServiceAccount of the world; without a name as nobody.
func (w *world) scrape(address, account string) (status int, body string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://"+address+"/metrics", nil)
	w.g.Expect(err).NotTo(HaveOccurred())
	if account != "" {
		access, err := cluster.ServiceAccountConfig(w.ctx, w.mfaNamespace, account)
		w.g.Expect(err).NotTo(HaveOccurred())
		req.Header.Set("Authorization", "Bearer "+access.BearerToken)
	}
	trusting := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, // signed by the manager itself
	}}
	resp, err := trusting.Do(req)
	w.g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	w.g.Expect(err).NotTo(HaveOccurred())
	return resp.StatusCode, string(content)
}

// freeAddress is one that nobody listens at.
func freeAddress(w *world) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
