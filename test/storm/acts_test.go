package storm

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// carryOut does the whole plan, spread over a time.
func (c *scene) carryOut(pace time.Duration) {
	ticker := time.NewTicker(max(time.Millisecond, pace/time.Duration(len(c.acts))))
	defer ticker.Stop()
	for n, a := range c.acts {
		c.do(a)
		if n%max(1, len(c.acts)/5) == 0 {
			say("%s: %d of %d acts; %s", c.namespace, n, len(c.acts), c.progress())
		}
		<-ticker.C
	}
	say("%s: all %d acts are done; %s", c.namespace, len(c.acts), c.progress())
}

func (c *scene) do(a act) {
	if a.make {
		c.must(func() error { return ignoreExists(c.admin.Create(c.ctx, c.manifest(a.who))) })
		return
	}
	switch a.who.fate {
	case edited:
		c.patch(a.who, `{"spec":{"firstName":"Edith"}}`)
	case moves:
		c.patch(a.who, `{"spec":{"groups":[{"name":"staff-it","role":"User"}]}}`)
	case blocked, deleted:
		c.must(func() error { return client.IgnoreNotFound(c.admin.Delete(c.ctx, c.manifest(a.who))) })
	case drifts:
		// There may be no account yet; then nothing drifts.
		_ = c.service.sim.UpdateAccount(a.who.login(), func(account *mfasim.Account) { account.LastName = "Edited elsewhere" })
	case enrols:
		c.enrol(a.who)
	}
}

// enrol plays the person who gets the code from the Secret and uses it. Whoever hands it out waits for the status to say that
// it is there: an account that somebody uses while its creation is still open does not count as ours after a crash.
func (c *scene) enrol(who person) {
	var user v1alpha1.MFAUser
	c.must(func() error {
		return client.IgnoreNotFound(c.admin.Get(c.ctx, client.ObjectKey{Namespace: c.namespace, Name: who.name}, &user))
	})
	if code := user.Status.Code; code == nil || code.Phase != v1alpha1.CodeActive {
		return // not there yet; nobody comes back for it
	}
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: c.namespace, Name: user.CodeSecretName()}
	c.must(func() error { return c.admin.Get(c.ctx, key, &secret) })
	link := string(secret.Data[v1alpha1.KeyLink])
	err := c.service.sim.UseCode(link)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enrolled[who.name] = err == nil
	if err != nil {
		c.report.deadCodesUsed++
		say("%s used a dead code: %v", who.name, err)
	}
}

func (c *scene) patch(who person, patch string) {
	c.must(func() error {
		return c.admin.Patch(c.ctx, c.manifest(who), client.RawPatch("application/merge-patch+json", []byte(patch)))
	})
}

func (c *scene) manifest(who person) *v1alpha1.MFAUser {
	user := &v1alpha1.MFAUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: who.name},
		Spec: v1alpha1.MFAUserSpec{
			ConnectionRef: v1alpha1.ConnectionReference{Name: connectionName},
			Login:         who.login(), FirstName: new("Alice"), LastName: new("Martin"), Email: new(who.login()),
		},
	}
	if who.grouped() {
		user.Spec.Groups = []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}}
	}
	if who.fate == deleted {
		user.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	}
	return user
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
