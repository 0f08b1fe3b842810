package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/manager"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestCanary tells a whole story, trouble included, and looks for the token and every code in all that the operator
// writes anywhere but into Secrets.
func TestCanary(t *testing.T) {
	logs.level.SetLevel(mostVerbose)
	t.Cleanup(func() { logs.level.SetLevel(zapcore.InfoLevel) })
	w := newWorld(t)
	secrets := w.collectSecrets()
	address := freeAddress(w)
	w.start(func(o *manager.Options) { o.MetricsAddress, o.MetricsSecure = address, true })

	w.tellCreation()
	w.tellDrift()
	w.tellBlock()
	w.tellTroubleThatTells(secrets)
	w.tellEnrolment()
	w.tellCodes()
	w.checkMetricsEndpoint(address)
	_, exposition := w.scrape(address, "prometheus")
	secrets.add(w.tellRotation(w.sim.Token()))
	seen := w.seen()
	w.tellRemoval()
	seen += w.seen()

	w.g.Expect(logs.String()).To(ContainSubstring("Reconciling"), "the log is at its most verbose")
	w.g.Expect(exposition).To(ContainSubstring("trustbuilder_mfa_codes_issued_total"))
	w.g.Expect(secrets.codes()).To(BeNumerically(">=", 8), "there were codes to be seen")
	secrets.expectNotIn(w, "the log", logs.String())
	secrets.expectNotIn(w, "the metrics", exposition)
	secrets.expectNotIn(w, "objects and events", seen)
}

// tellTroubleThatTells lets every kind of answer repeat the token and a code in all the places where an answer can.
func (w *world) tellTroubleThatTells(secrets *canaries) {
	w.t.Helper()
	spill := secrets.all()
	loot := strings.Join(spill, " ")
	quoted := fmt.Sprintf(`{"error":%q,"message":%q}`, spill[0], loot)
	faults := []mfasim.Fault{
		{Kind: mfasim.FaultStatus, Status: http.StatusBadRequest, Body: quoted},
		{Kind: mfasim.FaultStatus, Status: http.StatusForbidden, Body: quoted},
		{Kind: mfasim.FaultStatus, Status: http.StatusConflict, Body: quoted},
		{Kind: mfasim.FaultStatus, Status: http.StatusInternalServerError, Body: "<html>" + loot + "</html>"},
		{Kind: mfasim.FaultStatus, Status: http.StatusTooManyRequests, Body: quoted, RetryAfter: spill[0]},
		{Kind: mfasim.FaultNOKBody, Body: "NOK:" + loot},
		{Kind: mfasim.FaultNOKBody, Body: "<html>" + loot + "</html>"},
		{Kind: mfasim.FaultNOKBody, Body: fmt.Sprintf(`{"id":{%q:1},"login":%q,"content":%q,"hasMore":%q}`, spill[0], loot, loot, loot)},
		{Kind: mfasim.FaultNOKBody, Body: fmt.Sprintf(`{"content":[{"id":%q,"login":1,"status":%q,"blocked":%q}`, loot, loot, loot)},
		{Kind: mfasim.FaultRedirect, Location: "https://" + url.PathEscape(spill[0]) + ".example.com/?code=" + url.QueryEscape(loot)},
		{Kind: mfasim.FaultResetAfter}, {Kind: mfasim.FaultCutBody},
	}
	for n, fault := range faults {
		name := fmt.Sprintf("trouble-%d", n)
		for _, op := range []string{"ListAccounts", "CreateAccount", "UpdateAccount"} {
			fault.Operation, fault.Count = op, 1
			w.sim.SetFault(fault)
		}
		created, updated := w.sim.Calls()["CreateAccount"], w.sim.Calls()["UpdateAccount"]
		listed := w.sim.Calls()["ListAccounts"]
		w.create(w.user(name))
		edit(w, w.get("carol"), func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new(fmt.Sprint("Carol ", n)) })
		w.wake(n)
		w.g.Eventually(func() int { return w.sim.Calls()["ListAccounts"] }).Should(BeNumerically(">", listed))
		w.wake(n + 1000)
		w.g.Eventually(func() int { return w.sim.Calls()["CreateAccount"] }).Should(BeNumerically(">", created), "%d", n)
		w.g.Eventually(func() int { return w.sim.Calls()["UpdateAccount"] }).Should(BeNumerically(">", updated), "%d", n)
		w.sim.ClearFaults()
	}
	w.wake(9999)
	w.awaitConnection("True Reconciled")
	w.awaitReady("carol")
}

// wake asks for a fresh listing, which also ends a pause after a failure.
func (w *world) wake(n int) {
	w.t.Helper()
	edit(w, w.getConnection(), func(c *v1alpha1.MFAConnection) {
		c.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequestedAt: fmt.Sprint(n)}
	})
}

// seen is everything but Secrets that the operator may write, as the API server gives it out: managedFields included.
func (w *world) seen() string {
	w.t.Helper()
	var text strings.Builder
	for _, kind := range []schema.GroupVersionKind{
		v1alpha1.SchemeGroupVersion.WithKind("MFAUserList"), v1alpha1.SchemeGroupVersion.WithKind("MFAConnectionList"),
		{Group: "events.k8s.io", Version: "v1", Kind: "EventList"}, {Version: "v1", Kind: "EventList"},
		{Group: "coordination.k8s.io", Version: "v1", Kind: "LeaseList"},
	} {
		var list unstructured.UnstructuredList
		list.SetGroupVersionKind(kind)
		w.g.Expect(w.client.List(w.ctx, &list)).To(Succeed())
		data, err := list.MarshalJSON()
		w.g.Expect(err).NotTo(HaveOccurred())
		text.Write(data)
	}
	var secret unstructured.UnstructuredList // their metadata is no secret place
	secret.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "SecretList"})
	w.g.Expect(w.client.List(w.ctx, &secret, client.InNamespace(w.namespace))).To(Succeed())
	for _, item := range secret.Items {
		fmt.Fprintln(&text, item.Object["metadata"])
	}
	return text.String()
}

// canaries are the values that must be nowhere.
type canaries struct {
	mu     sync.Mutex
	values map[string]bool
	tokens int
}

// collectSecrets knows the token and learns of every code the moment the service makes it.
func (w *world) collectSecrets() *canaries {
	c := &canaries{values: map[string]bool{}}
	c.add(w.sim.Token())
	w.sim.OnCall(func(_ string, phase mfasim.Phase) {
		for _, account := range w.sim.Accounts() {
			if code, live := w.sim.LiveCode(account.Login); live && phase == mfasim.After {
				c.mu.Lock()
				c.values[code] = true
				c.mu.Unlock()
			}
		}
	})
	return c
}

func (c *canaries) add(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[token] = true
	c.tokens++
}

func (c *canaries) codes() int { return len(c.all()) - c.tokens }

func (c *canaries) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for value := range c.values {
		all = append(all, value)
	}
	return all
}

// expectNotIn looks for each value as it is and as it stands in a Secret's JSON. A link holds its code at any offset, so
// all three ways to encode it count.
func (c *canaries) expectNotIn(w *world, where, text string) {
	w.t.Helper()
	w.g.Expect(text).NotTo(BeEmpty(), where)
	for _, value := range c.all() {
		w.g.Expect(strings.Contains(text, value)).To(BeFalse(), "%s holds a secret", where)
		for offset := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + value))
			inner := encoded[min(4*((offset+2)/3), len(encoded)) : len(encoded)-2]
			w.g.Expect(strings.Contains(text, inner)).To(BeFalse(), "%s holds a secret in base64", where)
		}
	}
}
