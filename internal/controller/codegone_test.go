package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// TestCodeGoesWithAccountOfNotAllowed: a user whom the policy no longer allows has his account deleted in the console. The
// code went with it, and must not stay in the Secret because the policy stops the pass.
func TestCodeGoesWithAccountOfNotAllowed(t *testing.T) {
	w := newTestWorld(t, mfasim.Options{})
	w.apply(w.user("alice"))
	w.editConnection(func(c *v1alpha1.MFAConnection) { c.Spec.Policy.LoginPatterns = []string{"b*@example.com"} })
	w.g.Expect(is(v1alpha1.ConditionReady)(w.settle("alice"))).To(Equal("False NotAllowed"))
	w.g.Expect(w.secret("alice").Data).To(HaveKey(v1alpha1.KeyCode))

	w.sim.DeleteAccount("alice@example.com")
	w.drive(15*time.Minute, "alice")

	user := w.get("alice")
	w.g.Expect(is(v1alpha1.ConditionReady)(user)).To(Equal("False NotAllowed"))
	w.g.Expect(user.Status.Code.Phase).To(Equal(v1alpha1.CodeExpired))
	w.g.Expect(w.secret("alice").Data).NotTo(HaveKey(v1alpha1.KeyCode))
	w.g.Expect(w.remoteWrites()).To(Equal(1), "the creation alone")
}
