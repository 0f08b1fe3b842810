package controller

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// asked is a manifest as people have left it, and what it entitles the operator to.
type asked struct {
	key         types.NamespacedName
	uid         types.UID
	spec        v1alpha1.MFAUserSpec
	annotations map[string]string
	deleting    bool
	// account is the id of the account that it is known to hold, and lost one that it held and that is gone.
	account, lost string
	// highest is the highest generation stated since it first had an account, tokens are the values of the annotation ever set.
	highest int64
	tokens  map[string]bool
	// unsure are those that were overwritten before it is known that the operator has dealt with them: it may, when they come back.
	unsure map[string]bool
	// open are the codes that the operator may still issue.
	open []*request
	// issued are the times at which it did.
	issued []time.Time
	// last is the code that it issued last; nil while there is none.
	last *modelCode
}

// request is one code that somebody asked for.
type request struct {
	name string // create, generation, annotation, renewal
	// purposes are what the manifest has said since: which of them the operator saw first can't be told from outside.
	purposes []v1alpha1.CodePurpose
	byMail   bool // the manifest has asked for a mail since
	at       time.Time
	// fits is true when the account was one that could have such a code when it was asked for.
	fits bool
	// renewals counts how often the code was renewed before.
	renewals int
	// again is true when the code was issued once, and the operator may not have heard the answer.
	again bool
	// stored is true when the answer is in the Secret, where the operator finds it: then it asks no more.
	stored bool
}

// modelCode is a code that the operator issued.
type modelCode struct {
	request  request
	purpose  string // as the service spells it
	codeType int
	expires  time.Time
	// switchedOn and mailed tell what else was done with it, used that the person has used it.
	switchedOn, mailed, used bool
}

// leave is what a removal has left behind.
type leave struct {
	key   types.NamespacedName
	login string
	at    time.Time
	// back is true once the manifest had the account back, which a removal gives once.
	back bool
}

func (a *asked) login() string { return strings.ToLower(a.spec.Login) }

func (a *asked) observes() bool { return a.spec.ManagementPolicy == v1alpha1.ManagementObserve }

func (a *asked) generation() int64 { return a.spec.Code.WantedGeneration() }

// askFor opens a request.
func (m *modelWorld) askFor(a *asked, name string, purpose v1alpha1.CodePurpose) {
	account, exists := m.accountByID(a.account)
	a.open = append(a.open, &request{
		name: name, purposes: []v1alpha1.CodePurpose{purpose}, byMail: byEmail(a.spec.Code.Delivery), at: m.now(),
		fits: exists && modelFits(purpose, account),
	})
}

// noteManifest compares a manifest with how it was and opens the requests that are new in it.
func (m *modelWorld) noteManifest(a *asked, user *v1alpha1.MFAUser) {
	before := a.annotations[v1alpha1.AnnotationIssueCode]
	a.uid, a.spec, a.annotations = user.UID, *user.Spec.DeepCopy(), user.Annotations
	for _, r := range a.open {
		if r.name == "generation" {
			r.purposes = append(r.purposes, a.spec.Code.Purpose)
		}
		r.byMail = r.byMail || byEmail(a.spec.Code.Delivery)
	}
	if g := a.generation(); g > a.highest {
		a.highest = g
		m.askFor(a, "generation", a.spec.Code.Purpose)
	}
	value := user.Annotations[v1alpha1.AnnotationIssueCode]
	if value == before {
		return
	}
	for _, r := range a.open {
		if r.name == "annotation" {
			r.fits = false // overwritten: answered if it was seen in time
			a.unsure[before] = true
		}
	}
	if value == "" || a.tokens[value] && !a.unsure[value] {
		return
	}
	a.tokens[value] = true
	purpose, token, _ := strings.Cut(value, "/")
	if modelToken.MatchString(token) && modelPurposes[v1alpha1.CodePurpose(purpose)] != "" {
		m.askFor(a, "annotation", v1alpha1.CodePurpose(purpose))
		asked := a.open[len(a.open)-1]
		asked.fits = asked.fits && !a.unsure[value]
	}
}

// modelToken is the token of an annotation as the documentation has it; anything else is refused.
var modelToken = regexp.MustCompile(`^[A-Za-z0-9.:_-]{1,63}$`)

// modelPurposes are the purposes of codes as the service spells them; PINErrors is none of its purposes.
var modelPurposes = map[v1alpha1.CodePurpose]string{
	"Enrollment": "ENROLLMENT", "AddDevice": "ADD_DEVICE", "Unlock": "UNLOCK", "Restore": "RESTORE", "PINErrors": "-",
}

func modelFits(purpose v1alpha1.CodePurpose, account mfasim.Account) bool {
	switch account.Status {
	case mfasim.StatusPending, mfasim.StatusExpired:
		return purpose == "Enrollment"
	case mfasim.StatusActivated:
		return purpose == "AddDevice" || purpose == "Restore" || purpose == "PINErrors"
	case mfasim.StatusPINBlocked:
		return purpose == "Unlock" || purpose == "Restore" || purpose == "PINErrors"
	}
	return false
}

// voidRequests ends all requests: they were dealt with, or the account is one for which nothing is issued.
func (a *asked) voidRequests() { a.open = nil }

// take finds the request that a code answers, and nil when nobody has asked for it.
func (m *modelWorld) take(a *asked, purpose string, account mfasim.Account) *request {
	for _, kind := range []func(*request) bool{
		func(r *request) bool { return r.again && !r.stored },
		func(r *request) bool { return r.name == "generation" && !r.again },
		func(r *request) bool { return r.name == "annotation" && !r.again },
		func(r *request) bool { return r.stored },
	} {
		for _, r := range slices.Backward(a.open) { // of two annotations, the one that is there
			if kind(r) && slices.ContainsFunc(r.purposes, func(p v1alpha1.CodePurpose) bool { return modelPurposes[p] == purpose }) {
				return r
			}
		}
	}
	if m.renewable(a, account) && purpose == "ENROLLMENT" {
		return &request{
			name: "renewal", purposes: []v1alpha1.CodePurpose{"Enrollment"}, byMail: byEmail(a.spec.Code.Delivery), at: m.now(),
			renewals: a.last.request.renewals + 1,
		}
	}
	return nil
}

// renewable tells whether the manifest has its last code renewed.
func (m *modelWorld) renewable(a *asked, account mfasim.Account) bool {
	code, last := &a.spec.Code, a.last
	if last == nil || code.Renewal != v1alpha1.RenewalWhenExpired || code.Purpose != "Enrollment" || code.Type == "Short" {
		return false
	}
	over := !m.now().Before(last.expires) || account.Status == mfasim.StatusExpired
	return over && last.purpose == "ENROLLMENT" && last.codeType != 0 && !last.switchedOn &&
		last.request.name != "annotation" && last.request.renewals < 5
}

// allowed tells whether the connection's owner allows what a manifest states.
func (m *modelWorld) allowed(a *asked) bool {
	conn := m.getConnection().Spec
	if a.key.Namespace == m.second && !m.secondAdmitted() {
		return false
	}
	pattern := conn.Policy.LoginPatterns[0]
	if pattern != "*@example.com" && !strings.HasPrefix(a.login(), strings.TrimSuffix(pattern, "*@example.com")) {
		return false
	}
	if a.spec.Role != nil && !slices.Contains(conn.Policy.Roles, *a.spec.Role) {
		return false
	}
	return !slices.ContainsFunc(a.spec.Groups, func(group v1alpha1.GroupMembership) bool {
		return !strings.HasPrefix(group.Name, "staff") || !slices.Contains(conn.Policy.Roles, group.Role)
	})
}

var modelRoles = map[v1alpha1.Role]string{"User": mfasim.RoleUser, "Manager": mfasim.RoleManager, "Administrator": mfasim.RoleAdministrator}

// roleAllowed tells whether accounts with a remote role may be touched.
func (m *modelWorld) roleAllowed(remote string) bool {
	return slices.ContainsFunc(m.getConnection().Spec.Policy.Roles, func(role v1alpha1.Role) bool { return modelRoles[role] == remote })
}

// mayHold tells whether an account may become a manifest's: made by its own call, left behind by it, or open to adoption.
func (m *modelWorld) mayHold(a *asked, account mfasim.Account) bool {
	id := account.ID.String()
	if m.makers[id] == a.uid {
		return true
	}
	if left, ok := m.left[id]; ok && left.key == a.key && left.login == a.login() && m.now().Sub(left.at) <= 30*24*time.Hour {
		return true
	}
	return m.mayAdopt(a)
}

func (m *modelWorld) mayAdopt(a *asked) bool {
	policy := m.getConnection().Spec.Policy.Adoption
	return policy == v1alpha1.ConnectionAdoptionAlways ||
		policy == v1alpha1.ConnectionAdoptionAllow && a.spec.AdoptionPolicy == v1alpha1.AdoptionIfExists
}

// noteHeld notes that a manifest holds an account since its last pass.
func (m *modelWorld) noteHeld(a *asked, id string) {
	if id == a.account {
		return
	}
	if id == "" {
		a.lost, a.account = a.account, ""
		return
	}
	account, exists := m.accountByID(id)
	switch {
	case !exists:
		m.blame("%s holds the account %s, which does not exist", a.key, id)
	case !m.mayHold(a, account):
		m.blame("%s has taken the account of %s without right", a.key, account.Login)
	}
	for _, other := range m.asked {
		if other != a && other.account == id {
			m.blame("%s and %s hold the same account", a.key, other.key)
		}
	}
	if m.makers[id] != a.uid {
		a.voidRequests() // adopted or returned
		if left, ok := m.left[id]; ok {
			left.back = true
			m.left[id] = left
		}
		m.tell("%s has taken over the account of %s", a.key, account.Login)
	}
	a.account = id
}

func (m *modelWorld) accountByID(id string) (mfasim.Account, bool) {
	for _, account := range m.sim.Accounts() {
		if account.ID.String() == id {
			return account, true
		}
	}
	return mfasim.Account{}, false
}

// judgeRemoval looks at the account of a manifest that is gone.
func (m *modelWorld) judgeRemoval(a *asked) {
	m.tell("%s is gone", a.key)
	free := a.observes() || a.spec.Suspend || a.spec.DeletionPolicy == v1alpha1.DeletionRetain || a.annotations[v1alpha1.AnnotationOrphan] == "true"
	if a.account == "" || free {
		return
	}
	account, exists := m.accountByID(a.account)
	if !exists {
		return
	}
	m.left[a.account] = leave{key: a.key, login: a.login(), at: m.now()}
	if a.spec.DeletionPolicy == v1alpha1.DeletionDelete {
		m.blame("%s was deleted with the policy Delete, and its account is still there", a.key)
	} else if !account.Blocked {
		m.blame("%s was deleted with the policy Block, and its account is not blocked", a.key)
	}
}
