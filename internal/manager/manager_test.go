package manager

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// heard counts the warnings that come to it.
type heard struct{ warnings atomic.Int32 }

func (h *heard) HandleWarningHeaderWithContext(context.Context, int, string, string) {
	h.warnings.Add(1)
}

// discovery is what a manager asks the API server for before it starts.
var discovery = map[string]string{
	"/api":    `{"kind":"APIVersions","versions":["v1"]}`,
	"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"secrets","kind":"Secret","namespaced":true},{"name":"namespaces","kind":"Namespace"}]}`,
	"/apis":   `{"kind":"APIGroupList","groups":[{"name":"trustbuilder-mfa.dev","versions":[{"groupVersion":"trustbuilder-mfa.dev/v1alpha1","version":"v1alpha1"}]}]}`,
	"/apis/trustbuilder-mfa.dev/v1alpha1": `{"kind":"APIResourceList","groupVersion":"trustbuilder-mfa.dev/v1alpha1","resources":[` +
		`{"name":"mfausers","kind":"MFAUser","namespaced":true},{"name":"mfaconnections","kind":"MFAConnection","namespaced":true}]}`,
}

// TestWarningsAreNotPassedOn: what an admission webhook warns of may quote a code, so it gets into no log.
func TestWarningsAreNotPassedOn(t *testing.T) {
	g := NewWithT(t)
	var logged heard
	rest.SetDefaultWarningHandlerWithContext(&logged)
	t.Cleanup(func() { rest.SetDefaultWarningHandlerWithContext(rest.WarningLogger{}) })
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Warning", `299 - "the Secret alice-mfa holds the code c0de-1234"`)
		out.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(out, discovery[r.URL.Path])
		g.Expect(err).NotTo(HaveOccurred())
	}))
	t.Cleanup(server.Close)
	cluster := &rest.Config{Host: server.URL}
	write := func(config *rest.Config) {
		config = rest.CopyConfig(config)
		config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
		client, err := rest.UnversionedRESTClientFor(config)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(client.Patch("application/apply-patch+yaml").AbsPath("/api/v1/namespaces/team-a/secrets/alice-mfa").Do(t.Context()).Error()).To(Succeed())
	}

	mgr, err := New(cluster, Options{
		MetricsAddress: "0", ProbeAddress: "0",
		Controllers: controller.Options{Clock: clock.RealClock{}, Routes: mfaclient.DefaultRoutes(), UserAgent: "test"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	write(mgr.GetConfig())
	g.Expect(logged.warnings.Load()).To(BeZero())
	write(cluster)
	g.Expect(logged.warnings.Load()).To(Equal(int32(1)), "as everybody else's is")
}
