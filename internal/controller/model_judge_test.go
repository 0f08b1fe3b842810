package controller

import (
	"slices"
	"strings"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// judge holds one write of the operator against what was asked, at the moment when it happens.
func (m *modelWorld) judge(call *wireCall) {
	a := m.current
	login := strings.ToLower(call.account.Login)
	if a == nil {
		m.blame("%s on %s by nobody's pass", call.op, login)
		return
	}
	wrong := func(text string) { m.blame("%s: %s on %s: %s", a.key, call.op, login, text) }
	switch {
	case login != a.login() && m.known(call, m.renamed):
		wrong("the account of another login")
	case a.observes():
		wrong("the manifest says Observe")
	case a.spec.Suspend:
		wrong("the manifest is suspended")
	case call.op != "create" && !m.roleAllowed(call.account.Role) && m.known(call, m.roleSet[call.id()]):
		wrong("the account's role is outside the policy")
	case call.op != "create" && a.account != call.id() && !m.mayHold(a, call.account):
		wrong("the account is not this manifest's")
	}
	removes := call.op == "DELETE " || call.body["blocked"] == true && call.op != "create"
	if !a.deleting && !m.allowed(a) {
		wrong("the policy does not allow the manifest")
	}
	if removes || call.op == "PATCH " && call.body["role"] != nil || call.body["purpose"] == "RESTORE" {
		m.judgeProtection(call, wrong)
	}
	switch call.op {
	case "create":
		m.judgeCreation(a, call, wrong)
	case "PATCH ":
		m.judgeFields(a, call, wrong)
	case "DELETE ":
		if !a.deleting || a.spec.DeletionPolicy != v1alpha1.DeletionDelete {
			wrong("nobody asked for the account's deletion")
		}
		m.judgeRecord(a, call.id(), v1alpha1.RemovalDelete, wrong)
	case "PUT membership", "DELETE membership":
		m.judgeMembership(a, call, wrong)
	default:
		m.judgeCode(a, call, wrong)
	}
}

// known tells whether the operator can be expected to know what was done in the console: at once before what can't be
// undone, else when its picture is newer.
func (m *modelWorld) known(call *wireCall, since time.Time) bool {
	strict := call.op == "DELETE " || call.body["blocked"] == true || strings.HasPrefix(call.op, "POST codes")
	return (strict && call.op != "POST codes/send") || m.now().Sub(since) > modelInterval+time.Minute
}

func (m *modelWorld) judgeProtection(call *wireCall, wrong func(string)) {
	role, _ := call.body["role"].(string)
	if call.op == "PATCH " && call.body["blocked"] != true && (role == "" || call.account.Role == mfasim.RoleUser || role == mfasim.RoleAdministrator) {
		return // takes nothing away
	}
	if strings.EqualFold(call.account.Login, m.admin) {
		wrong("this is the token's own account")
	}
	if call.account.Role == mfasim.RoleAdministrator && !call.account.Blocked && m.administrators() <= 1 {
		wrong("this is the last administrator")
	}
}

func (m *modelWorld) administrators() (count int) {
	for _, account := range m.sim.Accounts() {
		if account.Role == mfasim.RoleAdministrator && !account.Blocked {
			count++
		}
	}
	return count
}

func (m *modelWorld) judgeCreation(a *asked, call *wireCall, wrong func(string)) {
	if a.deleting {
		wrong("the manifest is being deleted")
	}
	if _, exists := m.accountByID(a.account); exists && a.account != "" {
		wrong("the manifest has an account")
	}
	if a.account != "" {
		m.judgeRecord(a, a.account, v1alpha1.RemovalRecreate, wrong)
	}
	if call.body["role"] != mfasim.RoleUser {
		wrong("a new account begins as a plain user")
	}
	if _, stated := call.body["blocked"]; stated {
		wrong("a new account begins unblocked")
	}
	for name, value := range call.body {
		if !slices.Contains([]string{"login", "codeType", "role"}, name) {
			m.judgeField(a, name, value, wrong)
		}
	}
}

func (m *modelWorld) judgeFields(a *asked, call *wireCall, wrong func(string)) {
	for name, value := range call.body {
		switch {
		case name == "blocked" && value == true:
			m.judgeBlock(a, call.id(), wrong)
		case name == "blocked" && a.spec.Access == nil:
			if !m.blocked[call.id()] {
				wrong("lifts a block that is not ours")
			}
		case a.deleting:
			wrong("writes fields of an account that is being removed")
		default:
			m.judgeField(a, name, value, wrong)
		}
	}
}

// judgeField expects that a field is written as the manifest states it.
func (m *modelWorld) judgeField(a *asked, name string, value any, wrong func(string)) {
	stated, ok := statedFields(&a.spec)[name]
	if !ok {
		wrong("writes " + name + ", which the manifest does not state")
	} else if stated != value {
		wrong("writes " + name + " otherwise than stated")
	}
}

// statedFields are the fields that a manifest states, as the service spells them.
func statedFields(spec *v1alpha1.MFAUserSpec) map[string]any {
	stated := map[string]any{}
	for name, value := range map[string]*string{
		"firstName": spec.FirstName, "lastName": spec.LastName, "email": spec.Email, "phone": spec.Phone, "language": spec.Language,
	} {
		if value != nil {
			stated[name] = *value
		}
	}
	if spec.Role != nil {
		stated["role"] = modelRoles[*spec.Role]
	}
	if spec.Access != nil {
		stated["blocked"] = *spec.Access == v1alpha1.AccessBlocked
	}
	return stated
}

func (m *modelWorld) judgeBlock(a *asked, id string, wrong func(string)) {
	byDeletion := a.deleting && a.spec.DeletionPolicy == v1alpha1.DeletionBlock
	byAccess := !a.deleting && a.spec.Access != nil && *a.spec.Access == v1alpha1.AccessBlocked
	if !byDeletion && !byAccess {
		wrong("nobody asked for the block")
	}
	if id != m.newborn {
		m.judgeRecord(a, id, v1alpha1.RemovalBlock, wrong)
	}
}

// judgeRecord expects that a removal is on record before it happens.
func (m *modelWorld) judgeRecord(a *asked, id string, action v1alpha1.RemovalAction, wrong func(string)) {
	for _, removal := range m.getConnection().Status.Removals {
		recent := m.now().Sub(removal.Time.Time) <= time.Hour
		if a.deleting {
			recent = !removal.Time.Time.Before(m.made[a.uid])
		}
		if recent && removal.AccountID == id && removal.Action == action && removal.Released == a.deleting &&
			removal.Namespace == a.key.Namespace && removal.Name == a.key.Name {
			return
		}
	}
	wrong("the connection has no record of " + string(action))
}

func (m *modelWorld) judgeMembership(a *asked, call *wireCall, wrong func(string)) {
	if a.spec.Groups == nil {
		wrong("the manifest states no groups")
	}
	stated := slices.IndexFunc(a.spec.Groups, func(group v1alpha1.GroupMembership) bool { return group.Name == call.group })
	switch {
	case call.op == "DELETE membership" && stated >= 0:
		wrong("leaves a stated group")
	case call.op == "PUT membership" && (stated < 0 || modelRoles[a.spec.Groups[stated].Role] != call.body["role"]):
		wrong("joins a group otherwise than stated")
	}
}

// judgeCode holds what is done with codes against the requests that are open.
func (m *modelWorld) judgeCode(a *asked, call *wireCall, wrong func(string)) {
	if a.deleting {
		wrong("the manifest is being deleted")
	}
	if a.account != call.id() && m.makers[call.id()] != a.uid {
		wrong("the account is being taken over: nothing is issued for it")
	}
	purpose, _ := call.body["purpose"].(string)
	switch call.op {
	case "POST codes":
		taken := m.take(a, purpose, call.account)
		if taken == nil {
			wrong("a code for " + purpose + " that nobody asked for")
		} else if secret := m.codeSecret(a.key); taken.again && !taken.stored && secret != nil && holdsCode(secret) {
			wrong("a code is asked for again, and one that is dead is still in the Secret")
		}
		if purpose == "RESTORE" {
			m.judgeRecord(a, call.id(), v1alpha1.RemovalRestore, wrong)
		}
		if n := a.issuedWithin(m.now(), time.Hour-2*time.Second); n >= 5 {
			wrong("a sixth code within the hour")
		}
	case "POST pin-errors/reset":
		if m.take(a, "-", call.account) == nil {
			wrong("nobody asked for it")
		}
	case "POST codes/activate":
		if a.spec.Code.Activation != v1alpha1.ActivationNow || a.last == nil || a.last.codeType != 1 {
			wrong("nobody asked for it")
		}
	case "POST codes/send":
		if a.last == nil || !a.last.request.byMail || a.last.mailed {
			wrong("nobody asked for a mail")
		}
	default:
		wrong("the operator never does this")
	}
}

func (a *asked) issuedWithin(now time.Time, span time.Duration) (count int) {
	for _, at := range a.issued {
		if now.Sub(at) < span {
			count++
		}
	}
	return count
}
