package install

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/test/program"
)

// operator is the program at work.
type operator struct {
	s       *site
	process *program.Process
	logFile string
}

// startOperator runs the manager with the rights of a ServiceAccount and the arguments of a Pod.
func (s *site) startOperator(namespace, account string, args ...string) *operator {
	s.t.Helper()
	path, err := program.Build(s.ctx, s.dir)
	s.g.Expect(err).NotTo(HaveOccurred())
	access, err := s.cluster.ServiceAccountConfig(s.ctx, namespace, account)
	s.g.Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(s.dir, "kubeconfig")
	s.g.Expect(localcluster.WriteKubeconfig(access, kubeconfig)).To(Succeed())
	log, err := os.CreateTemp(s.dir, "manager-*.log")
	s.g.Expect(err).NotTo(HaveOccurred())
	s.g.Expect(log.Close()).To(Succeed())
	// What a Pod knows of itself, and no fixed port: others may test on this machine.
	args = append(args, "--leader-election-namespace="+namespace, "--health-probe-bind-address=0")
	process, err := program.Start(path, kubeconfig, log.Name(), args...)
	s.g.Expect(err).NotTo(HaveOccurred())
	op := &operator{s, process, log.Name()}
	s.t.Cleanup(func() {
		process.Kill()
		if s.t.Failed() {
			s.t.Logf("the end of the manager's log:\n%s", process.Tail(30))
		}
	})
	return op
}

// stop ends the program as the end of its Pod does.
func (o *operator) stop() {
	o.s.t.Helper()
	o.s.g.Expect(o.process.Terminate()).To(Succeed())
	o.s.g.Eventually(o.process.Exited()).Should(BeClosed())
	o.s.g.Expect(o.process.ExitCode()).To(BeZero())
}

func (o *operator) log() string {
	o.s.t.Helper()
	content, err := os.ReadFile(o.logFile)
	o.s.g.Expect(err).NotTo(HaveOccurred())
	return string(content)
}

func (s *site) awaitCRDs() {
	s.t.Helper()
	s.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/mfausers.trustbuilder-mfa.dev", "crd/mfaconnections.trustbuilder-mfa.dev")
}

// awaitReady waits for the status and reason of the condition Ready.
func (s *site) awaitReady(kind, namespace, name, want string) {
	s.t.Helper()
	const ready = `jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].reason}`
	s.g.Eventually(func() string { return s.kubectl("get", kind, "-n", namespace, name, "-o", ready) }).Should(Equal(want), "%s %s/%s", kind, namespace, name)
}

// scrape asks for the metrics as a ServiceAccount and returns the status of the answer.
func (s *site) scrape(address, namespace, account string) int {
	s.t.Helper()
	access, err := s.cluster.ServiceAccountConfig(s.ctx, namespace, account)
	s.g.Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, "https://"+address+"/metrics", nil)
	s.g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+access.BearerToken)
	trusting := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	answer, err := trusting.Do(request)
	s.g.Expect(err).NotTo(HaveOccurred())
	s.g.Expect(answer.Body.Close()).To(Succeed())
	return answer.StatusCode
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(listener.Close()).To(Succeed())
	return listener.Addr().String()
}

// service is a simulated MFA service on the network.
type service struct {
	t       *testing.T
	sim     *mfasim.Service
	url, ca string
}

func newService(t *testing.T) *service {
	sim := mfasim.New(mfasim.Options{})
	server := httptest.NewTLSServer(sim)
	t.Cleanup(server.Close)
	return &service{t, sim, server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))}
}

func (s *service) account(name string) mfasim.Account {
	s.t.Helper()
	account, ok := s.sim.Account(loginOf(name))
	NewWithT(s.t).Expect(ok).To(BeTrue(), name)
	return account
}

func (s *service) token(namespace string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "token", Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue}},
		Data:       map[string][]byte{v1alpha1.DefaultTokenKey: []byte(s.sim.Token())},
	}
}

func (s *service) connection(namespace string, allowed v1alpha1.AllowedNamespaces) *v1alpha1.MFAConnection {
	return &v1alpha1.MFAConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "production"},
		Spec: v1alpha1.MFAConnectionSpec{
			URL: s.url, CABundle: s.ca,
			TokenSecretRef:    v1alpha1.SecretKeyReference{Name: "token"},
			ResyncInterval:    metav1.Duration{Duration: 2 * time.Second},
			AllowedNamespaces: allowed,
			Policy:            v1alpha1.ConnectionPolicy{LoginPatterns: []string{"*@example.com"}},
		},
	}
}

// user refers to the connection production of a namespace.
func user(namespace, name, connectionNamespace string) *v1alpha1.MFAUser {
	return &v1alpha1.MFAUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.MFAUserSpec{
			ConnectionRef: v1alpha1.ConnectionReference{Name: "production", Namespace: connectionNamespace},
			Login:         loginOf(name),
		},
	}
}

func loginOf(name string) string { return fmt.Sprintf("%s@example.com", name) }
