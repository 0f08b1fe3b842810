package controller

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// Steps of all others: the connection's owner, administrators in the console, the persons, and misfortune.

func (m *modelWorld) editPolicy() {
	conn := m.getConnection()
	policy := &conn.Spec.Policy
	switch m.dice.IntN(3) {
	case 0:
		policy.LoginPatterns = []string{pick(m, "*@example.com", "*@example.com", "a*@example.com", "b*@example.com")}
	case 1:
		policy.Roles = pick(m, []v1alpha1.Role{"User"}, []v1alpha1.Role{"User"}, []v1alpha1.Role{"User", "Manager"}, []v1alpha1.Role{"User", "Manager", "Administrator"})
	case 2:
		policy.Adoption = pick(m, v1alpha1.ConnectionAdoptionDeny, v1alpha1.ConnectionAdoptionAllow, v1alpha1.ConnectionAdoptionAllow, v1alpha1.ConnectionAdoptionAlways)
	}
	m.g.Expect(m.client.Update(m.ctx, conn)).To(Succeed())
	m.wake(m.connectionKey())
	m.wakeAllUsers()
	m.tell("policy: %v roles %v adoption %s", policy.LoginPatterns, policy.Roles, policy.Adoption)
}

// flipNamespace admits the second namespace to the connection, or shuts it out.
func (m *modelWorld) flipNamespace() {
	var namespace corev1.Namespace
	m.g.Expect(m.client.Get(m.ctx, types.NamespacedName{Name: m.second}, &namespace)).To(Succeed())
	admit := !m.secondAdmitted()
	delete(namespace.Labels, "world")
	if admit {
		namespace.Labels["world"] = m.namespaceLabels()["world"]
	}
	m.g.Expect(m.client.Update(m.ctx, &namespace)).To(Succeed())
	for _, request := range m.users.usersOfNamespace(m.ctx, &namespace) {
		m.wake(request.NamespacedName)
	}
	m.tell("namespace %s admitted: %v", m.second, admit)
}

func (m *modelWorld) secondAdmitted() bool {
	var namespace corev1.Namespace
	m.g.Expect(m.client.Get(m.ctx, types.NamespacedName{Name: m.second}, &namespace)).To(Succeed())
	return namespace.Labels["world"] != ""
}

// console edits an account.
func (m *modelWorld) inConsole(login, what string, edit func(*mfasim.Account)) {
	if m.sim.UpdateAccount(login, edit) != nil {
		return
	}
	if login == m.plain.Login {
		edit(&m.plain)
		m.plain, _ = m.sim.Account(login)
	}
	m.tell("console: %s %s", what, login)
}

func (m *modelWorld) consoleEdit() {
	login, field, value := m.pickLogin(), m.dice.IntN(5), fmt.Sprintf("console-%d", m.dice.IntN(3))
	m.inConsole(login, fmt.Sprintf("edit field %d of", field), func(account *mfasim.Account) {
		switch field {
		case 0:
			account.FirstName = value
		case 1:
			account.LastName = value
		case 2:
			account.Email = value + "@example.com"
		case 3:
			account.Phone = "+4412345678"
		case 4:
			account.Language = "fr"
		}
	})
}

func (m *modelWorld) consoleBlock() {
	login, block := m.pickLogin(), m.dice.IntN(2) == 0
	if login == m.admin {
		return // its token would stop working
	}
	m.inConsole(login, fmt.Sprintf("blocked=%v", block), func(account *mfasim.Account) { account.Blocked = block })
}

func (m *modelWorld) consoleDelete() {
	login := m.pickLogin()
	if strings.Contains("admin@example.com custom@example.com plain@example.com", login) {
		return
	}
	if m.sim.DeleteAccount(login) {
		m.tell("console: delete %s", login)
	}
}

func (m *modelWorld) consoleIssue() {
	login := m.pickLogin()
	account, exists := m.sim.Account(login)
	if !exists {
		return
	}
	for purpose, spelled := range modelPurposes {
		if spelled != "-" && purpose != "Restore" && modelFits(purpose, account) {
			if _, err := m.sim.IssueCode(login, spelled, m.dice.IntN(3)); err == nil {
				m.meddled[login] = true
				m.tell("console: issue a code for %s", login)
			}
			return
		}
	}
}

func (m *modelWorld) consoleRole() {
	login, role := m.pickLogin(), pick(m, mfasim.RoleUser, mfasim.RoleUser, mfasim.RoleManager, mfasim.RoleAdministrator, "HELPDESK")
	if account, exists := m.sim.Account(login); exists && login != mfasim.DefaultAdminLogin && login != "custom@example.com" {
		m.roleSet[account.ID.String()] = m.now()
		m.inConsole(login, "role "+role, func(account *mfasim.Account) { account.Role = role })
	}
}

// consoleRename gives an account another login, or its old one back.
func (m *modelWorld) consoleRename() {
	login := m.pickLogin()
	if strings.Contains("admin@example.com custom@example.com plain@example.com", login) {
		return
	}
	m.meddled[login], m.renamed = true, m.now()
	if _, renamed := m.sim.Account("was-" + login); renamed {
		m.inConsole("was-"+login, "rename back", func(account *mfasim.Account) { account.Login = login })
		return
	}
	m.inConsole(login, "rename", func(account *mfasim.Account) { account.Login = "was-" + login })
}

func (m *modelWorld) consoleGroups() {
	login, group, role := m.pickLogin(), pick(m, "staff", "staff-night", "council"), pick(m, "", mfasim.RoleUser, mfasim.RoleManager)
	if m.sim.SetMembership(login, group, role) == nil {
		m.groupsSet = m.now()
		m.tell("console: %s is %q in %s", login, role, group)
	}
}

// consoleSeed makes an account that a manifest may want.
func (m *modelWorld) consoleSeed() {
	login := m.pickLogin()
	if _, exists := m.sim.Account(login); !exists {
		m.sim.Seed(mfasim.Account{Login: login, Status: pick(m, mfasim.StatusActivated, mfasim.StatusPending)})
		m.tell("console: create %s", login)
	}
}

// useCode has a person use the code of the Secret, or the link in the newest mail.
func (m *modelWorld) useCode() {
	a := m.pickManifest()
	fromMail := m.dice.IntN(3) == 0
	if a == nil {
		return
	}
	code := ""
	var secret corev1.Secret
	if fromMail {
		for _, mail := range m.sim.Outbox() {
			if strings.EqualFold(mail.Login, a.login()) {
				code = mail.Link
			}
		}
	} else if m.client.Get(m.ctx, types.NamespacedName{Namespace: a.key.Namespace, Name: a.key.Name + "-mfa"}, &secret) == nil {
		code = string(secret.Data[v1alpha1.KeyCode])
	}
	if code == "" {
		return
	}
	err := m.sim.UseCode(code)
	if err == nil && a.last != nil {
		a.last.used = true
	}
	m.tell("%s uses a code: %v", a.login(), err)
}

func (m *modelWorld) mistypePIN() {
	login, times := m.pickLogin(), pick(m, 1, 3, 3)
	if login == mfasim.DefaultAdminLogin {
		return
	}
	for range times {
		if m.sim.MistypePIN(login) == nil {
			m.noteHand(login)
		}
	}
	m.tell("%s mistypes the PIN %d times", login, times)
	m.refreshPlain()
}

// noteHand notes that a person did something that may hide from the operator that a code was used.
func (m *modelWorld) noteHand(login string) {
	for _, a := range m.asked {
		if a.login() == login && a.last != nil && a.last.used {
			m.meddled[login] = true
		}
	}
}

func (m *modelWorld) authenticate() {
	login := m.pickLogin()
	m.tell("%s authenticates: %v", login, m.sim.Authenticate(login))
	m.refreshPlain()
}

func (m *modelWorld) enrol() {
	login := m.pickLogin()
	if _, err := m.sim.AddDevice(login); err == nil {
		m.tell("%s enrols a device", login)
	}
	m.refreshPlain()
}

// refreshPlain takes what a person did to the account that nobody manages into the model.
func (m *modelWorld) refreshPlain() { m.plain, _ = m.sim.Account(m.plain.Login) }

func (m *modelWorld) setFault() {
	f := mfasim.Fault{
		Operation: pick(m, "", "", "CreateAccount", "IssueCode", "IssueCode", "IssueCode", "UpdateAccount", "GetAccount", "ListAccounts", "DeleteAccount", "ActivateCode", "SendCode", "ListDevices", "PutMembership"),
		Kind:      pick(m, mfasim.FaultStatus, mfasim.FaultNotJSON, mfasim.FaultResetBefore, mfasim.FaultResetAfter, mfasim.FaultResetAfter, mfasim.FaultCutBody, mfasim.FaultCutBody),
		Status:    pick(m, 500, 503, 429),
		Count:     pick(m, 1, 1, 2),
	}
	if f.Status == 429 {
		f.RetryAfter = pick(m, "1", "30", "120")
	}
	m.sim.SetFault(f)
	m.tell("fault: %s %s %d, %d times, Retry-After %q", f.Operation, f.Kind, f.Status, f.Count, f.RetryAfter)
	m.giveWork()
}

// giveWork gives misfortune something to strike at.
func (m *modelWorld) giveWork() {
	pick(m, (*modelWorld).createManifest, (*modelWorld).raiseGeneration, (*modelWorld).issueByHand, (*modelWorld).issueByHand, (*modelWorld).deleteManifest)(m)
}

func (m *modelWorld) kill() {
	m.killIn, m.killLate = 1+m.dice.IntN(8), m.dice.IntN(2) == 0
	m.tell("the operator will be killed at its call %d from now, carried out: %v", m.killIn, m.killLate)
	m.giveWork()
}

func (m *modelWorld) restartStep() {
	m.tell("the operator restarts")
	m.restart()
}

func (m *modelWorld) rotateToken() {
	secret := m.tokenSecret(m.sim.IssueToken(mfasim.DefaultAdminLogin, 365*24*time.Hour))
	m.g.Expect(m.client.Update(m.ctx, secret)).To(Succeed())
	m.wake(m.connectionKey())
	m.tell("the token is rotated")
}

// sleep lets time go by in which the operator does not run.
func (m *modelWorld) sleep() {
	d := pick(m, 20*time.Second, 16*time.Minute, time.Hour, 26*time.Hour, 22*24*time.Hour)
	m.clock.Step(d)
	m.tell("%s go by", d)
}

func (m *modelWorld) deleteSecret() {
	a := m.pickManifest()
	if a == nil {
		return
	}
	var secret corev1.Secret
	if m.client.Get(m.ctx, types.NamespacedName{Namespace: a.key.Namespace, Name: a.key.Name + "-mfa"}, &secret) == nil {
		m.g.Expect(m.client.Delete(m.ctx, &secret)).To(Succeed())
		m.wake(a.key)
		m.tell("the code Secret of %s is deleted", a.key)
	}
}
