package controller

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// checkAlways holds what is true whenever the operator has had its turn.
func (m *modelWorld) checkAlways() {
	for _, key := range sortedKeys(m.asked) {
		user := m.userAt(key)
		m.checkConditions(user)
		m.checkDiscretion(user.Status, user.Status.Conditions)
		if secret := m.codeSecret(key); secret != nil && holdsCode(secret) && !parseTime(secret.Data[v1alpha1.KeyExpiresAt]).After(m.now()) {
			m.blame("%s: a code that has run out is still in its Secret", key)
		}
	}
	m.checkDiscretion(m.getConnection().Status)
	if plain, _ := m.sim.Account(m.plain.Login); plain != m.plain {
		m.blame("the account that nobody manages has changed: %+v, was %+v", plain, m.plain)
	}
}

// checkSettled holds what is true once nothing has happened for two intervals.
func (m *modelWorld) checkSettled() {
	m.checkAlways()
	for _, key := range sortedKeys(m.asked) {
		a, user := m.asked[key], m.userAt(key)
		m.checkReady(a, user)
		m.checkFields(a, user)
		m.checkCode(a, user)
		m.checkAnswered(a, user)
	}
	m.checkIdle()
}

func (m *modelWorld) userAt(key types.NamespacedName) *v1alpha1.MFAUser {
	var user v1alpha1.MFAUser
	m.g.Expect(m.client.Get(m.ctx, key, &user)).To(Succeed())
	return &user
}

func (m *modelWorld) codeSecret(key types.NamespacedName) *corev1.Secret {
	var secret corev1.Secret
	if err := m.client.Get(m.ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name + "-mfa"}, &secret); err != nil {
		m.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
		return nil
	}
	return &secret
}

func holdsCode(secret *corev1.Secret) bool {
	return len(secret.Data[v1alpha1.KeyCode]) > 0 || len(secret.Data[v1alpha1.KeyLink]) > 0
}

// checkConditions: at most one of Reconciling and Stalled, and none beside a true Ready.
func (m *modelWorld) checkConditions(user *v1alpha1.MFAUser) {
	conditions := user.Status.Conditions
	reconciling := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
	stalled := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
	if reconciling && stalled || readyOf(conditions).Status == "True" && (reconciling || stalled) {
		m.blame("%s/%s: contradicting conditions: %s", user.Namespace, user.Name, ready(conditions))
	}
}

// checkDiscretion: no code that was ever issued stands in what anybody may read.
func (m *modelWorld) checkDiscretion(public ...any) {
	text, err := json.Marshal(public)
	m.g.Expect(err).NotTo(HaveOccurred())
	for code := range m.codes {
		if strings.Contains(string(text), code) {
			m.blame("a code stands in a status")
		}
	}
	for len(m.recorder.Events) > 0 {
		event := <-m.recorder.Events
		for code := range m.codes {
			if strings.Contains(event, code) {
				m.blame("a code stands in an event")
			}
		}
	}
}

// checkReady: every verdict has its reason in what was asked and in the service.
func (m *modelWorld) checkReady(a *asked, user *v1alpha1.MFAUser) {
	c := readyOf(user.Status.Conditions)
	if c.Status == "" || user.Status.ObservedGeneration != user.Generation {
		m.blame("%s: status speaks of generation %d of %d", a.key, user.Status.ObservedGeneration, user.Generation)
		return
	}
	if !m.justified(a, user, c.Reason) {
		m.blame("%s: Ready is %s without cause", a.key, ready(user.Status.Conditions))
	}
	if c.Status == "True" && (a.deleting || !a.spec.Suspend && !m.allowed(a)) {
		m.blame("%s: Ready is True in spite of deletion or policy", a.key)
	}
}

// justified tells whether the model sees a cause for the reason of a Ready condition.
func (m *modelWorld) justified(a *asked, user *v1alpha1.MFAUser, reason string) bool {
	held, holds := m.accountByID(user.Status.AccountID)
	byLogin, exists := m.sim.Account(a.login())
	switch reason {
	case v1alpha1.ReasonReconciled:
		return holds && !a.spec.Suspend
	case v1alpha1.ReasonSuspended:
		return a.spec.Suspend
	case v1alpha1.ReasonChangesPending:
		return a.observes() && len(user.Status.PendingChanges) > 0
	case v1alpha1.ReasonNotAllowed:
		return !m.allowed(a)
	case v1alpha1.ReasonPrivilegedAccount:
		return holds && !m.roleAllowed(held.Role) || exists && !m.roleAllowed(byLogin.Role)
	case v1alpha1.ReasonAccountConflict:
		id := byLogin.ID.String()
		usedUp := m.left[id].back && m.makers[id] != a.uid && !m.mayAdopt(a)
		return exists && id != user.Status.AccountID && (usedUp || !m.mayHold(a, byLogin))
	case v1alpha1.ReasonDuplicateLogin:
		return m.hasRival(a)
	case v1alpha1.ReasonIdentityMismatch:
		return holds && !strings.EqualFold(held.Login, a.login())
	case v1alpha1.ReasonProtectedAccount:
		return strings.EqualFold(a.login(), m.admin) || exists && byLogin.Role == mfasim.RoleAdministrator && m.administrators() <= 1
	case v1alpha1.ReasonAccountMissing:
		return a.observes() && !holds
	case v1alpha1.ReasonCodeRefused:
		return user.Status.CodeRefusal != nil
	case v1alpha1.ReasonCodeLimitReached:
		return a.issuedWithin(m.now(), time.Hour) >= 5
	}
	return false
}

func (m *modelWorld) hasRival(a *asked) bool {
	for _, other := range m.asked {
		if other != a && other.login() == a.login() {
			return true
		}
	}
	return false
}

// checkFields: a manifest that is Ready has its fields and groups on its account.
func (m *modelWorld) checkFields(a *asked, user *v1alpha1.MFAUser) {
	if readyOf(user.Status.Conditions).Reason != v1alpha1.ReasonReconciled || a.observes() {
		return
	}
	account, _ := m.accountByID(user.Status.AccountID)
	if !strings.EqualFold(account.Login, a.login()) {
		m.blame("%s is Ready with the account of %s", a.key, account.Login)
	}
	has := map[string]any{
		"firstName": account.FirstName, "lastName": account.LastName, "email": account.Email, "phone": account.Phone,
		"language": account.Language, "role": account.Role, "blocked": account.Blocked,
	}
	for name, stated := range statedFields(&a.spec) {
		if has[name] != stated {
			m.blame("%s is Ready, and %s is %v instead of %v", a.key, name, has[name], stated)
		}
	}
	if a.spec.Groups == nil || m.now().Sub(m.groupsSet) < 25*time.Hour {
		return // the groups are looked at once a day
	}
	var stated, joined []string
	for _, group := range a.spec.Groups {
		stated = append(stated, group.Name+" "+modelRoles[group.Role])
	}
	for _, membership := range m.sim.Memberships(account.Login) {
		joined = append(joined, membership.Group+" "+membership.Role)
	}
	slices.Sort(stated)
	slices.Sort(joined)
	if !slices.Equal(stated, joined) {
		m.blame("%s is Ready, and its groups are %v instead of %v", a.key, joined, stated)
	}
}

// checkCode: a code that status calls live is the account's live one and in the Secret, and no other is in there.
func (m *modelWorld) checkCode(a *asked, user *v1alpha1.MFAUser) {
	secret, code := m.codeSecret(a.key), user.Status.Code
	inSecret := secret != nil && holdsCode(secret)
	saysLive := code != nil && live(code)
	if !a.spec.Suspend && saysLive && toSecret(code.Delivery) != inSecret || !saysLive && inSecret {
		m.blame("%s: status says of its code %+v, and there being one in the Secret is %v", a.key, code, inSecret)
	}
	if code != nil && code.Pending != nil && readyOf(user.Status.Conditions).Status == "True" && !a.observes() && !a.spec.Suspend {
		m.blame("%s is Ready and a code is pending", a.key)
	}
	account, exists := m.accountByID(a.account)
	if !saysLive || m.meddled[a.login()] || a.spec.Suspend {
		return
	}
	// A block hides that the person has used the code before.
	hidden := account.Blocked && a.last != nil && a.last.used
	value, alive := m.sim.LiveCode(account.Login)
	switch {
	case !exists || !alive && !hidden:
		m.blame("%s: status calls a code %s that is dead", a.key, code.Phase)
	case inSecret && alive && string(secret.Data[v1alpha1.KeyCode]) != value:
		m.blame("%s: the code in the Secret is not the account's live one", a.key)
	}
}

// checkAnswered: what was asked for and fitted was issued; and what was dealt with never acts again.
func (m *modelWorld) checkAnswered(a *asked, user *v1alpha1.MFAUser) {
	reason := readyOf(user.Status.Conditions).Reason
	if a.observes() || reason != v1alpha1.ReasonReconciled && reason != v1alpha1.ReasonCodeRefused {
		return
	}
	account, _ := m.accountByID(a.account)
	for _, r := range a.open {
		if r.fits && !r.again && len(r.purposes) == 1 && m.quietSince(r.at) && modelFits(r.purposes[0], account) && user.Status.CodeRefusal == nil {
			m.blame("%s: the %s request for %s was never answered: %s", a.key, r.name, r.purposes[0], modelText(user.Status))
		}
	}
	a.voidRequests()
}

// quietSince tells whether nobody but the manifest's own people has acted since.
func (m *modelWorld) quietSince(at time.Time) bool { return !m.disturbed.After(at) }

// checkIdle: one more pass over everything writes nothing, here or there.
func (m *modelWorld) checkIdle() {
	m.sim.ResetCalls()
	before := fmt.Sprint(m.writes)
	m.turn(m.connectionKey())
	for _, key := range sortedKeys(m.asked) {
		was := m.userAt(key).Status
		m.turn(key)
		if m.asked[key] != nil {
			if is := m.userAt(key).Status; !equality.Semantic.DeepEqual(was, is) {
				m.blame("%s: one more pass changes status from %s to %s", key, modelText(was), modelText(is))
			}
		}
	}
	if n := m.remoteWrites(); n > 0 {
		m.blame("a settled world makes %d calls that change something: %v", n, m.sim.Calls())
	}
	if after := fmt.Sprint(m.writes); after != before {
		m.blame("a settled world is written to: %s, before %s", after, before)
	}
}

func modelText(status v1alpha1.MFAUserStatus) string {
	text, _ := json.Marshal(status) // a status always marshals
	return string(text)
}
