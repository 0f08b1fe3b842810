package plugin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/doctor"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

// examined runs kubectl mfa doctor on the connection and returns its checks as lines.
func (w *world) examined(args ...string) (lines []string, code int) {
	w.t.Helper()
	got := w.mfa(append([]string{"doctor", "production", "-n", w.mfaNamespace, "-o", "json"}, args...)...)
	var report struct{ Checks []doctor.Check }
	w.g.Expect(json.Unmarshal([]byte(got.out), &report)).To(Succeed(), got.out+got.err)
	for _, c := range report.Checks {
		if c.Level != doctor.OK {
			w.g.Expect(c.Do).NotTo(BeEmpty(), "what to do about: %s", c.What)
		}
		lines = append(lines, strings.TrimSpace(string(c.Level)+" "+c.About+": "+c.What))
	}
	return lines, got.code
}

// deployed makes the Deployment look as if its Pod ran, for as long as the test does.
func (w *world) deployed() {
	w.t.Helper()
	set := func(replicas int32) {
		var deployment appsv1.Deployment
		key := client.ObjectKey{Namespace: systemNamespace, Name: "trustbuilder-mfa-controller-manager"}
		w.g.Expect(w.client.Get(w.t.Context(), key, &deployment)).To(Succeed())
		deployment.Status = appsv1.DeploymentStatus{Replicas: replicas, AvailableReplicas: replicas, ReadyReplicas: replicas}
		w.g.Expect(w.client.Status().Update(w.t.Context(), &deployment)).To(Succeed())
	}
	set(1)
}

// TestDoctorOfTheHealthy: all is well, but for what can't be well here: an image without a version.
func TestDoctorOfTheHealthy(t *testing.T) {
	w := newWorld(t)
	w.deployed()
	w.operate()
	w.ready()
	lines, code := w.examined()
	w.g.Expect(code).To(BeZero(), strings.Join(lines, "\n"))
	for _, want := range []string{
		"OK cluster: Kubernetes v1.",
		"OK crd mfausers.trustbuilder-mfa.dev: served, stored as v1alpha1, with all fields",
		"OK crd mfaconnections.trustbuilder-mfa.dev: served, stored as v1alpha1, with all fields",
		"OK manager trustbuilder-mfa-system/trustbuilder-mfa-controller-manager: Pods available: 1",
		`WARN manager trustbuilder-mfa-system/trustbuilder-mfa-controller-manager: its version ("latest") can't be held against`,
		"leads",
		"OK manager trustbuilder-mfa-system/trustbuilder-mfa-controller-manager: its ServiceAccount trustbuilder-mfa-controller-manager has its rights in the namespace " + w.mfaNamespace,
		"OK rights: you may list mfausers in the namespace " + w.mfaNamespace + ", for kubectl mfa status and plan",
		"seen from the operator: the token works and the accounts have been listed",
		"certificates in spec.caBundle: 1",
		"the token Secret token is there and labelled",
		"the token expires in ",
		"seen from here: it answers by TLS",
		"seen from here: the token lists the accounts",
	} {
		w.g.Expect(lines).To(ContainElement(ContainSubstring(want)))
	}
	text := w.mfa("doctor", "-A")
	w.g.Expect(text.out).To(MatchRegexp(`(?m)^OK    cluster: Kubernetes .*$`))
	w.g.Expect(text.out).To(HaveSuffix(" WARN, 0 FAIL\n"), text.out)
}

// ready waits until the operator has listed the accounts.
func (w *world) ready() {
	w.t.Helper()
	w.g.Eventually(func() bool {
		var conn v1alpha1.MFAConnection
		w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.mfaNamespace, Name: "production"}, &conn)).To(Succeed())
		for _, c := range conn.Status.Conditions {
			if c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue {
				return true
			}
		}
		return false
	}).Should(BeTrue())
}

// TestDoctorFinds: each thing that is broken has its line, with what to do, and fails the command where it must.
func TestDoctorFinds(t *testing.T) {
	secret := func(edit func(*world, *corev1.Secret)) func(*world) {
		return func(w *world) {
			s := w.tokenSecret()
			edit(w, s)
			w.g.Expect(w.client.Update(w.ctx, s)).To(Succeed())
		}
	}
	conn := func(edit func(*v1alpha1.MFAConnection)) func(*world) {
		return func(w *world) {
			w.drop(w.ctx, w.connection())
			w.create(w.connection(edit))
		}
	}
	status := func(edit func(*v1alpha1.MFAConnectionStatus)) func(*world) {
		return func(w *world) {
			var object v1alpha1.MFAConnection
			w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: w.mfaNamespace, Name: "production"}, &object)).To(Succeed())
			edit(&object.Status)
			w.g.Expect(w.client.Status().Update(w.ctx, &object)).To(Succeed())
		}
	}
	condition := func(kind string, is metav1.ConditionStatus, reason string) func(*v1alpha1.MFAConnectionStatus) {
		return func(s *v1alpha1.MFAConnectionStatus) {
			s.Conditions = append(s.Conditions, metav1.Condition{Type: kind, Status: is, Reason: reason, Message: "so it is", LastTransitionTime: metav1.Now(), ObservedGeneration: 1})
		}
	}
	cases := map[string]struct {
		breaks func(*world)
		want   string
	}{
		"the label": {secret(func(_ *world, s *corev1.Secret) { s.Labels = nil }), "FAIL the token Secret token lacks the label"},
		"the key":   {secret(func(_ *world, s *corev1.Secret) { s.Data = nil }), `FAIL the token Secret token has no key "token"`},
		"an old token": {secret(func(w *world, s *corev1.Secret) {
			s.Data["token"] = []byte(w.sim.IssueToken("admin@example.com", -time.Hour))
		}), "FAIL the token expired 60m ago"},
		"a token that ends": {secret(func(w *world, s *corev1.Secret) {
			s.Data["token"] = []byte(w.sim.IssueToken("admin@example.com", 49*time.Hour))
		}), "WARN the token expires in 2d"},
		"a revoked token": {func(w *world) { w.sim.RevokeToken(w.sim.Token()) }, "FAIL seen from here, the accounts can't be listed: ListAccounts: Unauthenticated"},
		"spaces in it":    {secret(func(_ *world, s *corev1.Secret) { s.Data["token"] = []byte("a b") }), "FAIL the token Secret token: the token has white space"},
		"another service": {status(func(s *v1alpha1.MFAConnectionStatus) { s.ServiceID = "999" }), "FAIL the token acts for service 4711, and the connection's accounts are in service 999"},
		"no Secret":       {func(w *world) { w.drop(w.ctx, w.tokenSecret()) }, "FAIL the token Secret token does not exist"},
		"the CA":          {conn(func(c *v1alpha1.MFAConnection) { c.Spec.CABundle = "" }), "FAIL seen from here: Reach: Unavailable: certificate not trusted"},
		"no CA in it":     {conn(func(c *v1alpha1.MFAConnection) { c.Spec.CABundle = "nothing" }), "FAIL spec.caBundle holds no certificate"},
		"the port": {conn(func(c *v1alpha1.MFAConnection) { c.Spec.URL = "https://127.0.0.1:1" }),
			"FAIL seen from here: Reach: Unavailable: connection refused"},
		"nobody has looked":  {func(*world) {}, "FAIL the operator has not looked at it"},
		"the operator fails": {status(condition("Ready", metav1.ConditionFalse, "TokenRejected")), "FAIL seen from the operator: TokenRejected: so it is"},
		"from here alone": {func(w *world) {
			conn(func(c *v1alpha1.MFAConnection) { c.Spec.URL = "https://127.0.0.1:1" })(w)
			status(condition("Ready", metav1.ConditionTrue, "Reconciled"))(w)
		}, "WARN seen from here: Reach: Unavailable: connection refused"},
		"changes held": {status(condition("ChangesHeld", metav1.ConditionTrue, "GuardLimitReached")), "WARN seen from the operator: ChangesHeld: so it is"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tc.breaks(w)
			lines, code := w.examined()
			level, what, _ := strings.Cut(tc.want, " ")
			w.g.Expect(lines).To(ContainElement(HavePrefix(level + " connection " + w.mfaNamespace + "/production: " + what)))
			if level == "FAIL" {
				w.g.Expect(code).To(Equal(1))
			}
		})
	}
}

// TestDoctorOfTheCluster: what is missing before any connection counts.
func TestDoctorOfTheCluster(t *testing.T) {
	w := newWorld(t)
	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: systemNamespace, Name: "leader.trustbuilder-mfa.dev"}
	if err := w.client.Get(w.ctx, key, &lease); err == nil {
		w.g.Expect(w.client.Delete(w.ctx, &lease)).To(Succeed())
	}
	lines, _ := w.examined()
	w.g.Expect(lines).To(ContainElement(ContainSubstring("no manager has ever held its lease")))
	w.operate()
	w.ready()
	w.g.Expect(w.client.Get(w.ctx, key, &lease)).To(Succeed())
	lines, _ = w.examined()
	w.g.Expect(lines).To(ContainElement(HaveSuffix(*lease.Spec.HolderIdentity + " leads")))

	abandoned := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: key.Name}, Spec: lease.Spec}
	abandoned.Spec.RenewTime = &metav1.MicroTime{Time: time.Now().Add(-time.Hour)}
	pod := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "manager", Image: "registry.example.com:5000/mfa:v0.9.0@sha256:" + strings.Repeat("0", 64),
			Args: []string{"--leader-elect", "--watch-namespaces=" + w.namespace},
		}}},
	}
	second := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "second", Labels: map[string]string{
			"app.kubernetes.io/name": "mfa", "app.kubernetes.io/part-of": "trustbuilder-mfa-operator", "app.kubernetes.io/version": "v1.2.3",
		}},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: pod.Labels}, Template: pod},
	}
	w.create(abandoned, second)
	defer w.drop(w.ctx, second)
	lines, code := w.examined()
	w.g.Expect(code).To(Equal(1))
	w.g.Expect(lines).To(ContainElements(
		"WARN manager: there are 2 Deployments",
		"FAIL manager "+w.namespace+"/second: none of its Pods is available",
		"WARN manager "+w.namespace+"/second: its version is v0.9.0, and that of kubectl mfa is v1.2.3",
		"FAIL manager "+w.namespace+"/second: the lease was last renewed 60m ago: nobody works",
		"FAIL manager "+w.namespace+"/second: its ServiceAccount default may not list mfaconnections, patch mfaconnections/status, list mfausers, "+
			"patch mfausers/status, get secrets, patch secrets in the namespace "+w.namespace,
	))
	w.g.Expect(strings.Join(lines, "\n")).NotTo(MatchRegexp("second: its ServiceAccount.*in the namespace "+w.mfaNamespace), "it does not watch that one")

	second.Spec.Template.Spec.Containers[0].Args = []string{"--leader-elect=false"}
	w.g.Expect(w.client.Update(w.ctx, second)).To(Succeed())
	lines, _ = w.examined()
	w.g.Expect(lines).To(ContainElement("OK manager " + w.namespace + "/second: it works without a lease"))
}

// TestDoctorOfOldCRDs: a field that the API server would drop without a word is named.
func TestDoctorOfOldCRDs(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for _, name := range []string{"mfausers", "mfaconnections"} {
		text, err := os.ReadFile("../../config/crd/bases/trustbuilder-mfa.dev_" + name + ".yaml")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o600)).To(Succeed())
	}
	old, err := localcluster.Start(t.Context(), localcluster.Options{CRDPaths: []string{dir}})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(old.Stop()).To(Succeed()) })
	w := &world{t: t, g: g, ctx: t.Context(), kubeconfig: old.AdminKubeconfig(), namespace: "default", mfaNamespace: "default"}
	scheme := newScheme()
	admin, err := client.New(old.Config, client.Options{Scheme: scheme})
	g.Expect(err).NotTo(HaveOccurred())
	var crd apiextensionsv1.CustomResourceDefinition
	g.Expect(admin.Get(w.ctx, client.ObjectKey{Name: "mfausers.trustbuilder-mfa.dev"}, &crd)).To(Succeed())
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	delete(schema.Properties["spec"].Properties, "phone")
	delete(schema.Properties["status"].Properties["code"].Properties["pending"].Properties, "sent")
	g.Expect(admin.Update(w.ctx, &crd)).To(Succeed())
	got := w.mfa("doctor")
	g.Expect(got.code).To(Equal(1))
	g.Expect(got.out).To(ContainSubstring("FAIL  crd mfausers.trustbuilder-mfa.dev: it is older than kubectl mfa and drops fields that it knows: spec.phone, status.code.pending.sent\n"))
	g.Expect(got.out).To(ContainSubstring("OK    crd mfaconnections.trustbuilder-mfa.dev"))
	g.Expect(got.out).To(ContainSubstring("FAIL  manager: no Deployment in the cluster is labelled"))

	g.Expect(admin.Delete(w.ctx, &crd)).To(Succeed())
	g.Eventually(func() string { return w.mfa("doctor").out }).WithTimeout(10 * time.Second).Should(ContainSubstring("FAIL  crd mfausers.trustbuilder-mfa.dev: it is not installed"))
	g.Eventually(func() string { return w.mfa("status").err }).WithTimeout(10 * time.Second).Should(ContainSubstring("install the operator's CRDs"))
}

// TestDoctorOfTheRightless: what the caller may not do is told from what is broken.
func TestDoctorOfTheRightless(t *testing.T) {
	w := newWorld(t)
	w.operate()
	w.ready()
	w.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "viewers"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "trustbuilder-mfa-mfauser-view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: "viewer"}},
	}, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.mfaNamespace, Name: "viewers"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "trustbuilder-mfa-mfaconnection-view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: "viewer"}},
	})
	w.as("viewer")
	w.g.Eventually(func() int { return w.mfa("status").code }).Should(BeZero(), "once the API server has seen the binding")
	denied := w.mfa("status", "-A")
	w.g.Expect(denied.code).To(Equal(1))
	w.g.Expect(denied.err).To(ContainSubstring("kubectl mfa doctor says which rights are missing"))
	lines, _ := w.examined()
	w.g.Expect(lines).To(ContainElements(
		"WARN connection "+w.mfaNamespace+"/production: you may not read the token Secret token, so the token is not checked from here",
		"WARN crd mfausers.trustbuilder-mfa.dev: you may not read it",
		"WARN rights: you may not get secrets in the namespace "+w.mfaNamespace+", for kubectl mfa export and plan",
		HavePrefix("WARN manager: its Deployment can't be looked for"),
		HavePrefix("OK connection "+w.mfaNamespace+"/production: seen from the operator"),
	))
	export := w.mfa("export", "production", "-n", w.mfaNamespace)
	w.g.Expect(export.code).To(Equal(1))
	w.g.Expect(export.err).To(ContainSubstring("with a token of your own, use --token-file"))
	w.create(w.user("alice"))
	w.g.Expect(w.mfa("issue", "alice", "--purpose", "Enrollment", "--force").err).To(ContainSubstring("annotate " + w.namespace + "/alice"))
}

// as makes the commands run with the rights of a ServiceAccount.
func (w *world) as(name string) {
	w.t.Helper()
	w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}})
	config, err := cluster.ServiceAccountConfig(w.ctx, w.namespace, name)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.kubeconfig = filepath.Join(w.t.TempDir(), "kubeconfig")
	w.g.Expect(localcluster.WriteKubeconfig(config, w.kubeconfig)).To(Succeed())
}
