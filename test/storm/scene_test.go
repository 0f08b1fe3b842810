package storm

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const connectionName = "production"

// strangers are accounts that nobody has a manifest for.
const strangers = 20

// service is the simulated MFA service behind TLS.
type service struct {
	sim    *mfasim.Service
	server *httptest.Server
}

// scene is one run of the plan, in a namespace of its own, against a service of its own.
type scene struct {
	*stage
	plan
	ctx       context.Context
	namespace string
	service   service
	keeper    *keeper
	report    report

	mu       sync.Mutex
	enrolled map[string]bool // who has used the code
}

func (s *stage) newScene(name string, p plan) *scene {
	sim := mfasim.New(mfasim.Options{Seed: *seed})
	c := &scene{
		stage: s, plan: p, ctx: s.t.Context(), namespace: name, enrolled: map[string]bool{}, report: report{name: name},
		service: service{sim: sim, server: httptest.NewUnstartedServer(sim)},
	}
	c.service.server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	c.service.server.StartTLS()
	s.t.Cleanup(c.service.server.Close)
	sim.SeedN(strangers, "stranger")
	sim.AddGroup("staff")
	sim.AddGroup("staff-it")
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, c.token(sim.Token()), c.connection(),
	} {
		s.g.Expect(s.admin.Create(c.ctx, object)).To(Succeed())
	}
	return c
}

func (c *scene) token(value string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "token", Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue}},
		Data:       map[string][]byte{v1alpha1.DefaultTokenKey: []byte(value)},
	}
}

// connection lets nothing wait but the service itself: no limit, and no brake on the removals that the plan means.
func (c *scene) connection() *v1alpha1.MFAConnection {
	return &v1alpha1.MFAConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: connectionName},
		Spec: v1alpha1.MFAConnectionSpec{
			URL:            c.service.server.URL,
			CABundle:       string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.service.server.Certificate().Raw})),
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: "token"},
			ResyncInterval: metav1.Duration{Duration: interval},
			RateLimit:      v1alpha1.RateLimit{RequestsPerSecond: 10000, Burst: 10000},
			Policy:         v1alpha1.ConnectionPolicy{Groups: []string{"staff*"}},
			ChangeGuard:    v1alpha1.ChangeGuard{MaxRemovals: new(int32(10000))},
		},
	}
}

// play runs something with a manager at work and counts what it takes from then on.
func (c *scene) play(run func()) {
	c.keeper = c.keep()
	c.report.begun = time.Now()
	run()
}

// progress is one line about how far the manager is.
func (c *scene) progress() string {
	return fmt.Sprintf("%d accounts, %s remote calls, %d kills", len(c.service.sim.Accounts()), strconv.Itoa(total(c.service.sim.Calls())), c.killed())
}

func (c *scene) killed() int {
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	return c.keeper.killed
}

// leave lets all users go without a call, by the connection's annotation, so that the next scene has the manager alone.
func (c *scene) leave() {
	keeper := c.keep()
	c.must(func() error {
		conn := c.connection()
		base := conn.DeepCopy()
		conn.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"}
		return c.admin.Patch(c.ctx, conn, client.MergeFrom(base))
	})
	c.must(func() error { return c.admin.DeleteAllOf(c.ctx, &v1alpha1.MFAUser{}, client.InNamespace(c.namespace)) })
	c.g.Eventually(func() (int, error) {
		var left v1alpha1.MFAUserList
		err := c.admin.List(c.ctx, &left, client.InNamespace(c.namespace))
		return len(left.Items), err
	}, patience, time.Second).Should(BeZero())
	c.must(func() error { return c.admin.Delete(c.ctx, c.connection()) })
	_, _, err := keeper.close()
	c.g.Expect(err).NotTo(HaveOccurred())
}

// must does something in the cluster, again and again while the API server is away.
func (c *scene) must(do func() error) {
	c.g.Eventually(do, time.Minute, 100*time.Millisecond).Should(Succeed())
}
