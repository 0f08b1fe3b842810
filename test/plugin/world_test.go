package plugin

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/manager"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/internal/plugin"
)

// world is what one test plays in: a simulated service, two namespaces, and a connection named production.
type world struct {
	t       *testing.T
	g       *WithT
	ctx     context.Context
	sim     *mfasim.Service
	url, ca string
	client  client.Client
	// mfaNamespace holds the connection and its token, namespace the users.
	mfaNamespace, namespace string
	kubeconfig              string
}

var worlds atomic.Int64

func newWorld(t *testing.T, edits ...func(*v1alpha1.MFAConnection)) *world {
	n := worlds.Add(1)
	w := &world{
		t: t, g: NewWithT(t), ctx: t.Context(), sim: mfasim.New(mfasim.Options{}), kubeconfig: cluster.AdminKubeconfig(),
		mfaNamespace: fmt.Sprintf("mfa-%d", n), namespace: fmt.Sprintf("team-%d", n),
	}
	w.g.SetDefaultEventuallyTimeout(30 * time.Second)
	w.g.SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	server := httptest.NewTLSServer(w.sim)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	admin, err := client.New(cluster.Config, client.Options{Scheme: controller.NewScheme()})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.client = admin
	t.Cleanup(w.close)
	for _, name := range []string{w.mfaNamespace, w.namespace} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	w.create(w.tokenSecret(), w.connection(edits...))
	return w
}

// close takes away what the manager of another test would care for.
func (w *world) close() {
	ctx := context.Background()
	var users v1alpha1.MFAUserList
	w.g.Expect(w.client.List(ctx, &users, client.InNamespace(w.namespace))).To(Succeed())
	for _, user := range users.Items {
		w.drop(ctx, &user)
	}
	var connections v1alpha1.MFAConnectionList
	w.g.Expect(w.client.List(ctx, &connections, client.InNamespace(w.mfaNamespace))).To(Succeed())
	for _, conn := range connections.Items {
		w.drop(ctx, &conn)
	}
}

func (w *world) drop(ctx context.Context, object client.Object) {
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	w.g.Expect(client.IgnoreNotFound(w.client.Patch(ctx, object, patch))).To(Succeed())
	w.g.Expect(client.IgnoreNotFound(w.client.Delete(ctx, object))).To(Succeed())
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		w.g.Expect(w.client.Create(w.ctx, object)).To(Succeed())
	}
}

func (w *world) tokenSecret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: "token", Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue}},
		Data:       map[string][]byte{"token": []byte(w.sim.Token())},
	}
}

func (w *world) connection(edits ...func(*v1alpha1.MFAConnection)) *v1alpha1.MFAConnection {
	conn := &v1alpha1.MFAConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: "production"},
		Spec: v1alpha1.MFAConnectionSpec{
			URL: w.url, CABundle: w.ca,
			TokenSecretRef:    v1alpha1.SecretKeyReference{Name: "token"},
			ResyncInterval:    metav1.Duration{Duration: 2 * time.Second},
			RateLimit:         v1alpha1.RateLimit{RequestsPerSecond: 10000, Burst: 10000},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll},
			Policy: v1alpha1.ConnectionPolicy{
				LoginPatterns: []string{"*"}, Groups: []string{"staff*"}, Adoption: v1alpha1.ConnectionAdoptionAllow,
			},
		},
	}
	for _, edit := range edits {
		edit(conn)
	}
	return conn
}

// user is an MFAUser with a login of its name.
func (w *world) user(name string, edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
	user := &v1alpha1.MFAUser{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "MFAUser"},
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.MFAUserSpec{
			ConnectionRef: v1alpha1.ConnectionReference{Name: "production", Namespace: w.mfaNamespace},
			Login:         name + "@example.com",
		},
	}
	for _, edit := range edits {
		edit(user)
	}
	return user
}

func (w *world) get(name string) *v1alpha1.MFAUser {
	w.t.Helper()
	var user v1alpha1.MFAUser
	w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, &user)).To(Succeed())
	return &user
}

// operate starts the operator for the rest of the test, or until what it returns is called.
func (w *world) operate() (stop func()) {
	w.t.Helper()
	mgr, err := manager.New(cluster.Config, manager.Options{
		MetricsAddress: "0", ProbeAddress: "0", LeaderElect: true, LeaderElectionNamespace: systemNamespace,
		Controllers: controller.Options{
			Clock: clock.RealClock{}, Routes: mfaclient.DefaultRoutes(), UserAgent: "test", ConcurrentUsers: 8, ConcurrentConnections: 2,
		},
	})
	w.g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			w.g.Eventually(ended, 40*time.Second).Should(Receive(BeNil()))
		}
	}
	w.t.Cleanup(stop)
	return stop
}

// settled waits until the operator is done with the newest manifest of a user, and returns the reason it gives.
func (w *world) settled(name string) string {
	w.t.Helper()
	reason := ""
	w.g.Eventually(func(g Gomega) {
		user := w.get(name)
		g.Expect(user.Status.ObservedGeneration).To(Equal(user.Generation))
		under := false
		for _, c := range user.Status.Conditions {
			under = under || c.Type == v1alpha1.ConditionReconciling && c.Status == metav1.ConditionTrue
			if c.Type == v1alpha1.ConditionReady {
				reason = c.Reason
			}
		}
		g.Expect(under).To(BeFalse(), "%v", user.Status.Conditions)
		g.Expect(reason).NotTo(BeEmpty())
	}).Should(Succeed())
	return reason
}

// ran is what came of one command.
type ran struct {
	code     int
	out, err string
}

// mfa runs kubectl mfa in the namespace of the users.
func (w *world) mfa(args ...string) ran { return w.mfaWith("", args...) }

func (w *world) mfaWith(stdin string, args ...string) ran {
	var out, errOut bytes.Buffer
	code := plugin.Run(w.ctx, w.options(genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut}, args))
	return ran{code, out.String(), errOut.String()}
}

func (w *world) options(streams genericiooptions.IOStreams, args []string) plugin.Options {
	common := []string{"kubectl-mfa", "--kubeconfig", w.kubeconfig, "-n", w.namespace}
	return plugin.Options{IOStreams: streams, Clock: clock.RealClock{}, Version: "v1.2.3", Args: append(common, args...)}
}
