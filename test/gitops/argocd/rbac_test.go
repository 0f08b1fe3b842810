package argocd

import (
	"os"
	"regexp"
	"testing"

	"github.com/argoproj/argo-cd/v3/util/rbac"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/kubernetes/fake"
)

// csvOfDocs are the lines of Argo CD's RBAC that the docs say to add.
var csvOfDocs = regexp.MustCompile("(?s)```csv\n(.+?)```")

// TestDocumentedRBAC gives the lines to Argo CD's own enforcer, which refuses everything to everybody once one is malformed.
func TestDocumentedRBAC(t *testing.T) {
	g := NewWithT(t)
	text, err := os.ReadFile("../../../docs/gitops.md")
	g.Expect(err).NotTo(HaveOccurred())
	blocks := csvOfDocs.FindAllSubmatch(text, -1)
	g.Expect(blocks).To(HaveLen(1))
	policy := string(blocks[0][1])
	g.Expect(rbac.ValidatePolicy(policy)).To(Succeed())

	enforcer := rbac.NewEnforcer(fake.NewClientset(), "argocd", "argocd-rbac-cm", nil)
	g.Expect(enforcer.SetUserPolicy(policy)).To(Succeed())
	may := func(role, action string) bool {
		return enforcer.Enforce("role:"+role, "applications", "action/trustbuilder-mfa.dev/"+action, "default/mfa-team-a")
	}
	g.Expect(may("helpdesk", "MFAUser/issue-code")).To(BeTrue())
	g.Expect(may("helpdesk", "MFAUser/reconcile")).To(BeTrue())
	g.Expect(may("helpdesk", "MFAUser/suspend")).To(BeFalse())
	g.Expect(may("helpdesk", "MFAConnection/approve-removals")).To(BeFalse())
	g.Expect(may("mfa-admins", "MFAConnection/approve-removals")).To(BeTrue())
	g.Expect(may("nobody", "MFAUser/issue-code")).To(BeFalse())
}
