package e2e

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// interval is the shortest resyncInterval that the API allows.
const interval = 2 * time.Second

// world is what one test plays in: a simulated service, two namespaces, and the administrator's access to the cluster.
type world struct {
	t      *testing.T
	g      *WithT
	ctx    context.Context
	sim    *mfasim.Service
	url    string
	ca     string
	client client.Client
	// mfaNamespace holds the connection and its token, namespace the users.
	mfaNamespace, namespace string
	// oldServer makes the API server one that has no streaming lists.
	oldServer bool
	// noLease keeps the manager from its lease.
	noLease atomic.Bool
	// underWay counts the calls that the service is at.
	underWay atomic.Int64

	power     atomic.Pointer[power] // of the manager at work
	operators []*operator
	replicas  int // started so far
}

var worlds atomic.Int64

// newWorld makes a world with a connection named production that its users may use.
func newWorld(t *testing.T, edits ...func(*v1alpha1.MFAConnection)) *world {
	n := worlds.Add(1)
	w := &world{
		t: t, g: NewWithT(t), ctx: t.Context(), sim: mfasim.New(mfasim.Options{}),
		mfaNamespace: fmt.Sprintf("mfa-%d", n), namespace: fmt.Sprintf("team-%d", n),
	}
	w.g.SetDefaultEventuallyTimeout(30 * time.Second)
	w.g.SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	admin, err := client.New(cluster.Config, client.Options{Scheme: controller.NewScheme()})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.client = admin
	w.serve()
	logs.reset()
	t.Cleanup(w.close)
	for _, name := range []string{w.mfaNamespace, w.namespace} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"world": fmt.Sprint(n)}}})
	}
	w.create(w.tokenSecret(w.sim.Token()), w.connection(edits...))
	return w
}

// serve puts the simulator on the network. A manager without power does not reach it, and its calls count as moments.
func (w *world) serve() {
	server := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if p := w.power.Load(); p != nil && p.isOff() {
			panic(http.ErrAbortHandler)
		}
		w.underWay.Add(1)
		defer w.underWay.Add(-1)
		w.sim.ServeHTTP(out, in)
	}))
	w.t.Cleanup(server.Close)
	w.url = server.URL
	w.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		if p := w.power.Load(); p != nil && !p.call(op, phase) {
			panic(http.ErrAbortHandler) // net/http's own way to close the connection
		}
	})
}

// close stops what runs and takes everything away that another test's manager would care for.
func (w *world) close() {
	for _, op := range w.operators {
		op.cancel()
		op.wait()
	}
	if w.t.Failed() {
		w.t.Logf("the end of the manager's log:\n%s", logs.tail(60))
	}
	ctx := context.Background()
	var users v1alpha1.MFAUserList
	w.g.Expect(w.client.List(ctx, &users, client.InNamespace(w.namespace))).To(Succeed())
	for _, user := range users.Items {
		user.Finalizers = nil
		w.g.Expect(client.IgnoreNotFound(w.client.Update(ctx, &user))).To(Succeed())
		w.g.Expect(client.IgnoreNotFound(w.client.Delete(ctx, &user))).To(Succeed())
	}
	var connections v1alpha1.MFAConnectionList
	w.g.Expect(w.client.List(ctx, &connections, client.InNamespace(w.mfaNamespace))).To(Succeed())
	for _, conn := range connections.Items {
		conn.Finalizers = nil
		w.g.Expect(client.IgnoreNotFound(w.client.Update(ctx, &conn))).To(Succeed())
		w.g.Expect(client.IgnoreNotFound(w.client.Delete(ctx, &conn))).To(Succeed())
	}
}
