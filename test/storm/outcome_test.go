package storm

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// awaitOutcome waits until every promise holds, looks again an interval later, and ends the manager.
func (c *scene) awaitOutcome() {
	c.g.Expect(c.settle(patience)).To(BeEmpty(), "promises that do not hold; see the seed above")
	c.report.settled = time.Now()
	pause(c.ctx, interval)
	c.g.Expect(c.broken()).To(BeEmpty(), "an interval later")
	say("%s: every promise holds; %s", c.namespace, c.progress())
	var err error
	c.report.kills, c.report.ended, err = c.keeper.close()
	c.g.Expect(err).NotTo(HaveOccurred())
	c.report.calls = c.service.sim.Calls()
	for _, who := range c.people {
		c.report.codes += c.service.sim.CodesIssued(who.login())
	}
}

// settle looks every second and says now and then what is not as promised yet. It returns what is still not in the end.
func (c *scene) settle(limit time.Duration) (broken []string) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	deadline := time.Now().Add(limit)
	for n := 0; ; n++ {
		broken = c.broken()
		if len(broken) == 0 || time.Now().After(deadline) {
			return broken[:min(len(broken), 20)]
		}
		if n%10 == 0 {
			say("%s: %d promises do not hold yet, such as: %s", c.namespace, len(broken), broken[0])
		}
		<-ticker.C
	}
}

// world is what the cluster and the service hold at one time.
type world struct {
	users   map[string]v1alpha1.MFAUser
	secrets map[string]corev1.Secret // by the user's name
}

// broken lists every promise that does not hold.
func (c *scene) broken() (broken []string) {
	w, err := c.look()
	if err != nil {
		return []string{err.Error()}
	}
	for _, who := range c.people {
		if fault := c.faultOf(who, w); fault != "" {
			broken = append(broken, fmt.Sprintf("%s (%s): %s", who.name, who.fate, fault))
		}
	}
	return append(broken, c.strangersTouched()...)
}

func (c *scene) look() (world, error) {
	w := world{users: map[string]v1alpha1.MFAUser{}, secrets: map[string]corev1.Secret{}}
	var users v1alpha1.MFAUserList
	if err := c.admin.List(c.ctx, &users, client.InNamespace(c.namespace)); err != nil {
		return w, err
	}
	for _, user := range users.Items {
		w.users[user.Name] = user
	}
	var secrets corev1.SecretList
	if err := c.admin.List(c.ctx, &secrets, client.InNamespace(c.namespace), client.HasLabels{v1alpha1.LabelCode}); err != nil {
		return w, err
	}
	for _, secret := range secrets.Items {
		// There is no garbage collector here: a Secret without its owner would be gone elsewhere.
		if owner := metav1.GetControllerOf(&secret); owner != nil && w.users[owner.Name].UID == owner.UID {
			w.secrets[owner.Name] = secret
		}
	}
	return w, nil
}

// faultOf says what of a person is not as promised, empty when all is.
func (c *scene) faultOf(who person, w world) string {
	account, exists := c.service.sim.Account(who.login())
	user, stated := w.users[who.name]
	if who.fate == blocked || who.fate == deleted {
		switch {
		case stated:
			return "the MFAUser is still there"
		case who.fate == deleted && exists:
			return "the account is still there"
		case exists && !account.Blocked:
			return "the account is not blocked"
		}
		return "" // one that was removed before it was made has no account
	}
	switch {
	case !stated || !exists:
		return "there is no account"
	case user.Status.AccountID != account.ID.String():
		return "the MFAUser does not hold the account"
	case !meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionReady) || user.Status.ObservedGeneration != user.Generation:
		return "it is not Ready: " + readyOf(&user)
	case account.Blocked:
		return "the account is blocked"
	case account.FirstName != *user.Spec.FirstName || account.LastName != *user.Spec.LastName || account.Email != *user.Spec.Email:
		return "a field is not as stated"
	case who.grouped() && !c.inGroupOf(&user):
		return "the groups are not as stated"
	}
	return c.faultOfCode(&user, w.secrets[who.name], account)
}

// readyOf is the condition Ready in a line.
func readyOf(user *v1alpha1.MFAUser) string {
	ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "nothing is said"
	}
	return fmt.Sprintf("%s %s of generation %d of %d since %s: %s",
		ready.Status, ready.Reason, ready.ObservedGeneration, user.Generation, ready.LastTransitionTime.Format(time.TimeOnly), ready.Message)
}

func (c *scene) inGroupOf(user *v1alpha1.MFAUser) bool {
	memberships := c.service.sim.Memberships(user.Spec.Login)
	return len(memberships) == 1 && memberships[0].Group == user.Spec.Groups[0].Name
}

// faultOfCode holds what status and Secret say of a code against the service.
func (c *scene) faultOfCode(user *v1alpha1.MFAUser, secret corev1.Secret, account mfasim.Account) string {
	code := user.Status.Code
	link := string(secret.Data[v1alpha1.KeyLink])
	wanted := v1alpha1.CodeActive
	if account.Status == mfasim.StatusActivated {
		wanted = v1alpha1.CodeUsed
	}
	switch {
	case user.Status.Creating != nil:
		return "the intent to create is still on record"
	case code == nil || code.Phase != wanted || code.Pending != nil:
		return "the code's phase is not " + string(wanted)
	case wanted == v1alpha1.CodeActive && !c.service.sim.Accepts(link):
		return "the Secret's code is not the live one"
	case wanted == v1alpha1.CodeUsed && link != "":
		return "the Secret holds a used code"
	}
	return ""
}

// strangersTouched lists accounts without a manifest that are not as they were, and those that nobody should have made.
func (c *scene) strangersTouched() (touched []string) {
	planned := map[string]bool{mfasim.DefaultAdminLogin: true}
	for _, who := range c.people {
		planned[who.login()] = true
	}
	seen := 0
	for _, account := range c.service.sim.Accounts() {
		switch {
		case planned[account.Login]:
			continue
		case strings.HasPrefix(account.Login, "stranger-"):
			seen++
			if account.FirstName != "stranger" || account.Blocked {
				touched = append(touched, account.Login+" was changed")
			}
		case !strings.HasPrefix(account.Login, "shifted-"):
			touched = append(touched, account.Login+" was made")
		}
	}
	if seen != strangers {
		touched = append(touched, "a stranger's account is gone")
	}
	return touched
}
