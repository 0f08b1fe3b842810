package e2e

import (
	"fmt"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// rule is one right that a role gives: one verb on one resource.
type rule struct{ role, group, resource, verb string }

func (r rule) String() string {
	return fmt.Sprintf("%s: %s %s (%s)", r.role, r.verb, r.resource, r.group)
}

// shippedRules are the rights that config/ gives the manager's ServiceAccount, through every binding that names it.
func (w *world) shippedRules() map[rule]bool {
	w.t.Helper()
	rules := map[rule]bool{}
	var clusterBindings rbacv1.ClusterRoleBindingList
	w.g.Expect(w.client.List(w.ctx, &clusterBindings)).To(Succeed())
	for _, binding := range clusterBindings.Items {
		if namesManager(binding.Subjects) {
			w.addRules(rules, "", binding.RoleRef)
		}
	}
	var bindings rbacv1.RoleBindingList
	w.g.Expect(w.client.List(w.ctx, &bindings)).To(Succeed())
	for _, binding := range bindings.Items {
		if namesManager(binding.Subjects) {
			w.addRules(rules, binding.Namespace, binding.RoleRef)
		}
	}
	return rules
}

func namesManager(subjects []rbacv1.Subject) bool {
	for _, subject := range subjects {
		if subject.Kind == rbacv1.ServiceAccountKind && subject.Namespace == systemNamespace && subject.Name == serviceAccount {
			return true
		}
	}
	return false
}

func (w *world) addRules(rules map[rule]bool, namespace string, ref rbacv1.RoleRef) {
	w.t.Helper()
	role := ref.Kind + " " + ref.Name
	for _, policy := range w.policyRules(namespace, ref) {
		w.g.Expect(policy.NonResourceURLs).To(BeEmpty(), "%s: the log does not tell which rule allowed a path", role)
		for _, group := range policy.APIGroups {
			for _, resource := range policy.Resources {
				for _, verb := range policy.Verbs {
					w.g.Expect(group+resource+verb).NotTo(ContainSubstring("*"), "%s gives more than can be checked", role)
					rules[rule{role, group, resource, verb}] = true
				}
			}
		}
	}
}

func (w *world) policyRules(namespace string, ref rbacv1.RoleRef) []rbacv1.PolicyRule {
	w.t.Helper()
	if ref.Kind == "ClusterRole" {
		var role rbacv1.ClusterRole
		w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Name: ref.Name}, &role)).To(Succeed())
		return role.Rules
	}
	var role rbacv1.Role
	w.g.Expect(w.client.Get(w.ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, &role)).To(Succeed())
	return role.Rules
}
