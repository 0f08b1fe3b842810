package controller

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// adminConfig reaches the API server that all tests of this package share.
var adminConfig *rest.Config

func TestMain(m *testing.M) {
	cluster, err := localcluster.Start(context.Background(), localcluster.Options{CRDPaths: []string{"../../config/crd/bases"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	adminConfig = cluster.Config
	adminConfig.QPS = -1 // the tests wait for nobody
	code := m.Run()
	if err := cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// testWorld is a simulated service, a real API server, and the reconcilers called by hand at a time that stands still.
type testWorld struct {
	t     *testing.T
	g     Gomega
	ctx   context.Context
	clock *clocktesting.FakeClock
	sim   *mfasim.Service
	// front, when set, stands between the operator and the simulator, see between.
	front       atomic.Pointer[between]
	url         string
	ca          string
	client      client.WithWatch
	users       *UserReconciler
	connections *ConnectionReconciler
	recorder    *events.FakeRecorder
	// writes counts the writes that reached the API server, dry runs left out.
	writes map[string]int
	// gatherFor is how long removals wait for others: not at all, for most tests take one step after the other.
	gatherFor time.Duration
	// mfaNamespace holds the connection and its token, namespace the users.
	mfaNamespace, namespace string
}

var worlds atomic.Int64

// newTestWorld makes a world with a connection named production that its users may use, and lets it become ready.
func newTestWorld(t *testing.T, opts mfasim.Options, edits ...func(*v1alpha1.MFAConnection)) *testWorld {
	w := newBareWorld(t, opts)
	w.create(w.tokenSecret(w.sim.Token()))
	conn := w.connection()
	for _, edit := range edits {
		edit(conn)
	}
	w.create(conn)
	w.reconcileConnection()
	return w
}

// newBareWorld makes a world without a connection. Its clock stands at the time of the one in the options.
func newBareWorld(t *testing.T, opts mfasim.Options) *testWorld {
	n := worlds.Add(1)
	begin := time.Now()
	if opts.Clock != nil {
		begin = opts.Clock.Now()
	}
	w := &testWorld{
		t: t, g: NewWithT(t), ctx: t.Context(),
		clock:        clocktesting.NewFakeClock(begin.Truncate(time.Second)),
		writes:       map[string]int{},
		mfaNamespace: fmt.Sprintf("mfa-%d", n), namespace: fmt.Sprintf("team-%d", n),
	}
	opts.Clock = w.clock
	w.sim = mfasim.New(opts)
	server := httptest.NewTLSServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	t.Cleanup(w.end)
	w.url = server.URL
	w.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	w.startOperator()
	for _, name := range []string{w.mfaNamespace, w.namespace} {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"world": fmt.Sprint(n)}}})
	}
	return w
}

// startOperator makes reconcilers that know nothing yet, as a restart does.
func (w *testWorld) startOperator() {
	direct, err := client.NewWithWatch(adminConfig, client.Options{Scheme: NewScheme()})
	w.g.Expect(err).NotTo(HaveOccurred())
	w.client = interceptor.NewClient(direct, interceptor.Funcs{
		List:             listByIndex,
		Patch:            w.countPatch,
		SubResourcePatch: w.countStatusPatch,
		Apply:            w.countApply,
	})
	w.recorder = events.NewFakeRecorder(10000)
	shared := newWorld(w.client, w.client, w.client, Options{Clock: w.clock, Routes: mfaclient.DefaultRoutes(), UserAgent: "test", Version: "v1.2.3"})
	shared.gatherFor = w.gatherFor
	w.users = &UserReconciler{world: shared, events: w.recorder, groupChecks: newGroupChecks(), deviceReads: newDeviceReads(), gathering: newGathering(), leftCodes: newLeftCodes()}
	w.connections = &ConnectionReconciler{world: shared, events: w.recorder}
}

func (w *testWorld) countPatch(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	w.writes[fmt.Sprintf("patch %T", o)]++
	return c.Patch(ctx, o, p, opts...)
}

func (w *testWorld) countStatusPatch(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	w.writes[fmt.Sprintf("patch %T/%s", o, sub)]++
	return c.SubResource(sub).Patch(ctx, o, p, opts...)
}

func (w *testWorld) countApply(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	options := client.ApplyOptions{}
	for _, opt := range opts {
		opt.ApplyToApply(&options)
	}
	if len(options.DryRun) == 0 {
		w.writes["apply"]++
	}
	return c.Apply(ctx, o, opts...)
}

// listByIndex does for a client without a cache what the manager's cache does with the same functions.
func listByIndex(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
	options := client.ListOptions{}
	options.ApplyOptions(opts)
	users, ok := list.(*v1alpha1.MFAUserList)
	if !ok || options.FieldSelector == nil {
		return c.List(ctx, list, opts...)
	}
	if err := c.List(ctx, users, client.InNamespace(options.Namespace)); err != nil {
		return err
	}
	for _, requirement := range options.FieldSelector.Requirements() {
		extract := userIndexes()[requirement.Field]
		kept := users.Items[:0]
		for _, user := range users.Items {
			if strings.Join(extract(&user), "\n") == requirement.Value {
				kept = append(kept, user)
			}
		}
		users.Items = kept
	}
	return nil
}

func (w *testWorld) create(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		w.g.Expect(w.client.Create(w.ctx, object)).To(Succeed())
	}
}

func (w *testWorld) tokenSecret(token string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: "token", Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue}},
		Data:       map[string][]byte{"token": []byte(token)},
	}
}

// connection is one that allows the world's users everything that a connection usually allows, at a rate that never waits.
func (w *testWorld) connection() *v1alpha1.MFAConnection {
	return &v1alpha1.MFAConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: "production"},
		Spec: v1alpha1.MFAConnectionSpec{
			URL: w.url, CABundle: w.ca,
			TokenSecretRef:    v1alpha1.SecretKeyReference{Name: "token"},
			ResyncInterval:    metav1.Duration{Duration: 10 * time.Minute},
			RateLimit:         v1alpha1.RateLimit{RequestsPerSecond: 10000, Burst: 10000},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.FromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"world": strings.TrimPrefix(w.namespace, "team-")}}},
			Policy:            v1alpha1.ConnectionPolicy{LoginPatterns: []string{"*@example.com"}, Groups: []string{"staff*"}},
		},
	}
}

// user is an MFAUser with a login of its name.
func (w *testWorld) user(name string, edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
	user := &v1alpha1.MFAUser{
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

// reconcileConnection runs one pass over the connection and returns when the next is due.
func (w *testWorld) reconcileConnection() time.Duration {
	w.t.Helper()
	result, err := w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}})
	w.g.Expect(err).NotTo(HaveOccurred())
	return result.RequeueAfter
}

// pass runs one pass over a user, as the queue would, and returns what the reconciler answers.
func (w *testWorld) pass(name string) (ctrl.Result, error) {
	w.t.Helper()
	var user v1alpha1.MFAUser
	if err := w.client.Get(w.ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, &user); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	return w.users.Reconcile(w.ctx, &user)
}

// settle runs passes over a user until its status stays the same, and returns it.
func (w *testWorld) settle(name string) *v1alpha1.MFAUser {
	w.t.Helper()
	for range 10 {
		before := w.get(name)
		_, err := w.pass(name)
		if after := w.get(name); err == nil && equality.Semantic.DeepEqual(before, after) {
			return after
		}
	}
	w.t.Fatalf("%s does not settle", name)
	return nil
}

// apply creates a user and settles it, and its connection where that has to know.
func (w *testWorld) apply(user *v1alpha1.MFAUser) *v1alpha1.MFAUser {
	w.t.Helper()
	w.create(user)
	settled := w.settle(user.Name)
	if key := settled.ConnectionKey(); w.users.newsForConnection(key, &v1alpha1.MFAUser{}, settled) {
		_, err := w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: key}) // as the watch on users does
		w.g.Expect(err).NotTo(HaveOccurred())
	}
	return settled
}

// get returns a user as it is now; one without a name when it is gone.
func (w *testWorld) get(name string) *v1alpha1.MFAUser {
	w.t.Helper()
	var user v1alpha1.MFAUser
	err := w.client.Get(w.ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, &user)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	return &user
}

func (w *testWorld) getConnection() *v1alpha1.MFAConnection {
	w.t.Helper()
	var conn v1alpha1.MFAConnection
	w.g.Expect(w.client.Get(w.ctx, types.NamespacedName{Namespace: w.mfaNamespace, Name: "production"}, &conn)).To(Succeed())
	return &conn
}

// edit changes a user's manifest.
func (w *testWorld) edit(name string, change func(*v1alpha1.MFAUser)) {
	w.t.Helper()
	user := w.get(name)
	change(user)
	w.g.Expect(w.client.Update(w.ctx, user)).To(Succeed())
}

// editConnection changes the connection's manifest and reconciles it.
func (w *testWorld) editConnection(change func(*v1alpha1.MFAConnection)) {
	w.t.Helper()
	conn := w.getConnection()
	change(conn)
	w.g.Expect(w.client.Update(w.ctx, conn)).To(Succeed())
	w.reconcileConnection()
}

// secret returns the user's code Secret; nil when there is none.
func (w *testWorld) secret(name string) *corev1.Secret {
	w.t.Helper()
	var secret corev1.Secret
	err := w.client.Get(w.ctx, types.NamespacedName{Namespace: w.namespace, Name: name + "-mfa"}, &secret)
	w.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	if err != nil {
		return nil
	}
	return &secret
}

// deleteUser deletes a manifest and settles what follows.
func (w *testWorld) deleteUser(name string) {
	w.t.Helper()
	w.g.Expect(w.client.Delete(w.ctx, w.get(name))).To(Succeed())
	w.settle(name)
}

// tick moves the time past an interval and lists again.
func (w *testWorld) tick(d time.Duration) {
	w.t.Helper()
	w.clock.Step(d)
	w.reconcileConnection()
}

func condition(conditions []metav1.Condition, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// ready is "<status> <reason>" of the Ready condition, with "Stalled" or "Reconciling" behind it when they are there.
func ready(conditions []metav1.Condition) string {
	c := condition(conditions, v1alpha1.ConditionReady)
	text := fmt.Sprintf("%s %s", c.Status, c.Reason)
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if meta.IsStatusConditionTrue(conditions, kind) {
			text += " " + kind
		}
	}
	return text
}

// end takes the world's objects away. A later world may get the port of this one's simulator, and its users would meet
// rivals of the same login in what looks like the same service; and every pass lists all users there are.
func (w *testWorld) end() {
	ctx := context.Background() // the test's own has ended
	w.g.Expect(w.client.DeleteAllOf(ctx, &v1alpha1.MFAConnection{}, client.InNamespace(w.mfaNamespace))).To(Succeed())
	w.g.Expect(w.client.DeleteAllOf(ctx, &v1alpha1.MFAUser{}, client.InNamespace(w.namespace))).To(Succeed())
	var users v1alpha1.MFAUserList
	w.g.Expect(w.client.List(ctx, &users, client.InNamespace(w.namespace))).To(Succeed())
	for n := range users.Items {
		w.force(&users.Items[n])
	}
	var connections v1alpha1.MFAConnectionList
	w.g.Expect(w.client.List(ctx, &connections, client.InNamespace(w.mfaNamespace))).To(Succeed())
	for n := range connections.Items {
		w.force(&connections.Items[n])
	}
}

// force takes all finalizers off an object, as somebody does who has lost patience.
func (w *testWorld) force(object client.Object) {
	w.t.Helper()
	let := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	w.g.Expect(client.IgnoreNotFound(w.client.Patch(context.Background(), object, let))).To(Succeed())
}
