package controller

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// recordingQueue stands in for a controller's queue and remembers who was woken.
type recordingQueue struct {
	workqueue.TypedRateLimitingInterface[ctrl.Request]
	woken map[string]int
}

func (q *recordingQueue) Add(r ctrl.Request) { q.woken[r.Name]++ }

// listenTo puts a recording queue behind a wake queue.
func (w *testWorld) listenTo(wake *wakeQueue) *recordingQueue {
	w.t.Helper()
	q := &recordingQueue{woken: map[string]int{}}
	w.g.Expect(wake.Start(w.ctx, q)).To(Succeed())
	return q
}

// drive plays the two controllers' queues for a while, with the given users: each object has its next pass when its last
// one asked for it, after the queue's growing delay when that one failed, and at once when it is woken. Nothing wakes
// an object besides, so what never comes back is stuck. It returns the number of passes.
func (w *testWorld) drive(d time.Duration, users ...string) (passes int) {
	w.t.Helper()
	const connection = "\x00connection"
	woken, probes, limiter := w.listenTo(w.users.users), w.listenTo(w.users.probes), retries()
	end := w.clock.Now().Add(d)
	due := map[string]time.Time{connection: w.clock.Now()}
	for _, name := range users {
		due[name] = w.clock.Now()
	}
	for {
		next := ""
		for name, at := range due {
			if next == "" || at.Before(due[next]) || at.Equal(due[next]) && name < next {
				next = name
			}
		}
		if next == "" || due[next].After(end) {
			w.clock.SetTime(end)
			return passes
		}
		if at := due[next]; at.After(w.clock.Now()) {
			w.clock.SetTime(at)
		}
		delete(due, next)
		passes++
		w.g.Expect(passes).To(BeNumerically("<", 3000), "a hot loop")
		before := w.seen(next, connection)
		result, err := w.onePass(next, connection)
		if after := w.seen(next, connection); w.users.newsForConnection(before.ConnectionKey(), before, after) {
			due[connection] = w.clock.Now() // as the watch on users does
		}
		key := ctrl.Request{NamespacedName: types.NamespacedName{Name: next}}
		switch {
		case err != nil:
			due[next] = w.clock.Now().Add(limiter.When(key))
		case result.RequeueAfter > 0:
			limiter.Forget(key)
			due[next] = w.clock.Now().Add(result.RequeueAfter)
		default:
			limiter.Forget(key)
		}
		for _, name := range users {
			if woken.woken[name] > 0 {
				due[name] = w.clock.Now()
			}
		}
		if len(probes.woken) > 0 {
			due[connection] = w.clock.Now()
		}
		clear(woken.woken)
		clear(probes.woken)
	}
}

// seen is a user as the watch shows it; one without a name when it is gone, or when the connection is meant.
func (w *testWorld) seen(name, connection string) *v1alpha1.MFAUser {
	w.t.Helper()
	if name == connection {
		return &v1alpha1.MFAUser{}
	}
	return w.get(name)
}

func (w *testWorld) onePass(name, connection string) (ctrl.Result, error) {
	if name != connection {
		return w.pass(name)
	}
	return w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}})
}

// calls is how often the simulator was called in all.
func (w *testWorld) calls() int {
	total := 0
	for _, n := range w.sim.Calls() {
		total += n
	}
	return total
}

// eventsWith takes what was recorded so far and counts the events with a reason.
func (w *testWorld) eventsWith(reason string) (count int) {
	for {
		select {
		case text := <-w.recorder.Events:
			if strings.Contains(text, " "+reason+" ") {
				count++
			}
		default:
			return count
		}
	}
}

// setToken replaces the token in its Secret and reconciles, as the watch on the Secret would.
func (w *testWorld) setToken(token string) time.Duration {
	w.t.Helper()
	secret := w.tokenSecret(token)
	w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
	return w.reconcileConnection()
}

// useShortTimeout gives the connection's client another time-out, so that a test of a service that hangs does not.
func (w *testWorld) useShortTimeout(d time.Duration) {
	w.t.Helper()
	conn := w.connections.connections.get(types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"})
	conn.mu.Lock()
	defer conn.mu.Unlock()
	built, err := mfaclient.New(mfaclient.Config{
		BaseURL: conn.settings.url, CABundle: []byte(conn.settings.caBundle), Token: conn.settings.token, Gate: conn.gate,
		Clock: w.clock, Observe: w.users.metrics.callsOf(conn.key), Timeout: d,
	})
	w.g.Expect(err).NotTo(HaveOccurred())
	conn.client = built
	conn.inventory.Use(built)
}

// otherServer is a TLS server that is not the simulator, and its CA.
func otherServer(t *testing.T, answer http.HandlerFunc) (url, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// deleteObject deletes an object of the cluster.
func (w *testWorld) deleteObject(object client.Object) {
	w.t.Helper()
	w.g.Expect(w.client.Delete(w.ctx, object)).To(Succeed())
}

// expectDiscreet looks for what no condition may say: where the service is, ids of accounts, and what an answer held.
func (w *testWorld) expectDiscreet(user *v1alpha1.MFAUser) {
	w.t.Helper()
	forbidden := []string{w.url, "127.0.0.1", "made up by a fault", "<html", "NOK", "Please sign in"}
	for _, account := range w.sim.Accounts() {
		forbidden = append(forbidden, account.ID.String())
	}
	conditions := w.getConnection().Status.Conditions
	if user != nil {
		conditions = append(conditions, user.Status.Conditions...)
	}
	for _, c := range conditions {
		for _, text := range forbidden {
			w.g.Expect(c.Message).NotTo(ContainSubstring(text), c.Type)
		}
	}
}
