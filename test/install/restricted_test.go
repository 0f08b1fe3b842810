package install

import (
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// expectRestricted makes a Pod as the Deployment would, in its namespace, and expects the API server's own admission to
// let it in, and to refuse it with the least bit of power more. Nothing runs: there are no nodes.
func (s *site) expectRestricted(d *appsv1.Deployment) {
	s.t.Helper()
	var namespace corev1.Namespace
	s.g.Expect(s.client.Get(s.ctx, client.ObjectKey{Name: d.Namespace}, &namespace)).To(Succeed())
	s.g.Expect(namespace.Labels).To(HaveKeyWithValue("pod-security.kubernetes.io/enforce", "restricted"))
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.Namespace, GenerateName: "try-", Labels: d.Spec.Template.Labels},
		Spec:       *d.Spec.Template.Spec.DeepCopy(),
	}
	s.g.Expect(s.client.Create(s.ctx, pod.DeepCopy(), client.DryRunAll)).To(Succeed())
	pod.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil
	s.g.Expect(s.client.Create(s.ctx, pod, client.DryRunAll)).To(MatchError(ContainSubstring(`violates PodSecurity "restricted`)), "the admission is at work")
}
