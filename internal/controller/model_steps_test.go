package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// modelStep is something that somebody may do at any time.
type modelStep struct {
	weight int
	play   func(m *modelWorld)
	// disturbs is true for what manifests do not ask for.
	disturbs bool
}

func modelSteps() []modelStep {
	return []modelStep{
		{12, (*modelWorld).createManifest, false}, {10, (*modelWorld).editManifest, true}, {5, (*modelWorld).editCode, false},
		{7, (*modelWorld).raiseGeneration, false}, {10, (*modelWorld).issueByHand, false}, {7, (*modelWorld).deleteManifest, false},
		{3, (*modelWorld).reconcileByHand, false}, {6, (*modelWorld).editPolicy, true}, {2, (*modelWorld).flipNamespace, true},
		{6, (*modelWorld).consoleEdit, true}, {3, (*modelWorld).consoleBlock, true}, {2, (*modelWorld).consoleDelete, true},
		{2, (*modelWorld).consoleIssue, true}, {2, (*modelWorld).consoleRole, true}, {2, (*modelWorld).consoleRename, true},
		{2, (*modelWorld).consoleGroups, true}, {1, (*modelWorld).consoleSeed, true},
		{14, (*modelWorld).useCode, true}, {5, (*modelWorld).mistypePIN, true}, {3, (*modelWorld).authenticate, true}, {1, (*modelWorld).enrol, true},
		{7, (*modelWorld).setFault, true}, {4, (*modelWorld).kill, true}, {2, (*modelWorld).restartStep, true}, {2, (*modelWorld).rotateToken, true},
		{4, (*modelWorld).sleep, true}, {2, (*modelWorld).deleteSecret, true},
	}
}

// step plays one step.
func (m *modelWorld) step() {
	steps, total := modelSteps(), 0
	for _, s := range steps {
		total += s.weight
	}
	roll := m.dice.IntN(total)
	for _, s := range steps {
		if roll -= s.weight; roll < 0 {
			s.play(m)
			if s.disturbs {
				m.disturbed = m.now()
			}
			return
		}
	}
}

// pick rolls one of several.
func pick[T any](m *modelWorld, of ...T) T { return of[m.dice.IntN(len(of))] }

// maybe rolls a value or none.
func maybe[T any](m *modelWorld, of ...T) *T {
	n := m.dice.IntN(len(of) + 2)
	if n >= len(of) {
		return nil
	}
	return &of[n]
}

// slots are the manifests that there may be: one has a rival, and two name accounts that are not for users.
func (m *modelWorld) slots() map[types.NamespacedName]string {
	return map[types.NamespacedName]string{
		{Namespace: m.namespace, Name: "alice"}: "alice@example.com", {Namespace: m.namespace, Name: "bob"}: "bob@example.com",
		{Namespace: m.second, Name: "carol"}: "Carol@example.com", {Namespace: m.second, Name: "rival"}: "bob@example.com",
		{Namespace: m.namespace, Name: "boss"}: "admin@example.com", {Namespace: m.second, Name: "helper"}: "custom@example.com",
	}
}

func sortedKeys[T any](of map[types.NamespacedName]T) []types.NamespacedName {
	keys := slices.Collect(maps.Keys(of))
	slices.SortFunc(keys, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// pickManifest rolls a manifest that there is; nil when there is none.
func (m *modelWorld) pickManifest() *asked {
	var there []*asked
	for _, key := range sortedKeys(m.asked) {
		if a := m.asked[key]; !a.deleting {
			there = append(there, a)
			if a.account != "" {
				there = append(there, a, a) // more happens where there is an account
			}
		}
	}
	if len(there) == 0 {
		return nil
	}
	return pick(m, there...)
}

// pickLogin rolls a login: of a manifest that there is, or of somebody else.
func (m *modelWorld) pickLogin() string {
	if a := m.pickManifest(); a != nil && m.dice.IntN(6) > 0 {
		return a.login()
	}
	return pick(m, "alice@example.com", "bob@example.com", "carol@example.com", "admin@example.com", "custom@example.com", "plain@example.com")
}

func (m *modelWorld) createManifest() {
	slots := m.slots()
	for key := range m.asked {
		delete(slots, key)
	}
	if len(slots) == 0 {
		return
	}
	keys := sortedKeys(slots)
	for _, key := range sortedKeys(slots) {
		if key.Name == "alice" || key.Name == "bob" || key.Name == "carol" {
			keys = append(keys, key, key, key) // the others are in each other's way
		}
	}
	key := pick(m, keys...)
	m.clock.Step(time.Second) // of two manifests of one second, the API server's UIDs would tell which is the older
	user := m.user(key.Name, func(u *v1alpha1.MFAUser) {
		u.Namespace, u.Spec.Login = key.Namespace, slots[key]
		m.rollSpec(&u.Spec)
		u.Spec.Code.Generation = maybe(m, int64(0), 1, 2)
		if m.dice.IntN(5) == 0 {
			u.Annotations = map[string]string{v1alpha1.AnnotationIssueCode: m.rollToken(nil)}
		}
	})
	if err := m.client.Create(m.ctx, user); err != nil {
		m.g.Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		return
	}
	a := &asked{key: key, tokens: map[string]bool{}, unsure: map[string]bool{}, highest: -1}
	m.asked[key], m.made[user.UID] = a, m.now().Truncate(time.Second)
	m.noteManifest(a, user)
	m.wake(key)
	m.tell("create %s", describe(user))
}

// rollSpec rolls all that a manifest may state but the code's generation.
func (m *modelWorld) rollSpec(spec *v1alpha1.MFAUserSpec) {
	for range 6 {
		m.rollField(spec)
	}
	spec.DeletionPolicy = pick(m, v1alpha1.DeletionBlock, v1alpha1.DeletionBlock, v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
	spec.AdoptionPolicy = pick(m, v1alpha1.AdoptionNever, v1alpha1.AdoptionIfExists)
	spec.ManagementPolicy = pick(m, v1alpha1.ManagementFull, v1alpha1.ManagementFull, v1alpha1.ManagementFull, v1alpha1.ManagementFull, v1alpha1.ManagementObserve)
	m.rollCode(&spec.Code, spec)
}

func (m *modelWorld) rollField(spec *v1alpha1.MFAUserSpec) {
	switch m.dice.IntN(9) {
	case 0:
		spec.FirstName = maybe(m, "Ada", "Eve", "")
	case 1:
		spec.LastName = maybe(m, "Lovelace", "Martin", "")
	case 2:
		spec.Email = maybe(m, "one@example.com", "two@example.com")
	case 3:
		spec.Phone = maybe(m, "+33611111111", "+33622222222", "")
	case 4:
		spec.Language = maybe(m, "en", "fr")
	case 5:
		spec.Role = maybe(m, v1alpha1.RoleUser, v1alpha1.RoleUser, v1alpha1.RoleUser, v1alpha1.RoleManager)
	case 6:
		spec.Access = maybe(m, v1alpha1.AccessAllowed, v1alpha1.AccessAllowed, v1alpha1.AccessAllowed, v1alpha1.AccessBlocked)
	default:
		spec.Groups = pick(m, nil, nil, []v1alpha1.GroupMembership{}, []v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}},
			[]v1alpha1.GroupMembership{{Name: "staff-night", Role: v1alpha1.RoleUser}, {Name: "staff", Role: v1alpha1.RoleUser}},
			[]v1alpha1.GroupMembership{{Name: "staff", Role: v1alpha1.RoleUser}}, []v1alpha1.GroupMembership{},
			[]v1alpha1.GroupMembership{{Name: pick(m, "staff", "council"), Role: v1alpha1.RoleUser}})
	}
}

func (m *modelWorld) rollCode(code *v1alpha1.CodeSpec, spec *v1alpha1.MFAUserSpec) {
	code.Purpose = pick(m, v1alpha1.PurposeEnrollment, v1alpha1.PurposeEnrollment, v1alpha1.PurposeAddDevice, v1alpha1.PurposeUnlock, v1alpha1.PurposeRestore)
	code.Type = pick(m, v1alpha1.CodeLink, v1alpha1.CodeLink, v1alpha1.CodeInactive, v1alpha1.CodeShort)
	code.Delivery, code.Renewal, code.Activation = v1alpha1.DeliverySecret, v1alpha1.RenewalNever, v1alpha1.ActivationLater
	if code.Type == v1alpha1.CodeLink && m.dice.IntN(2) == 0 {
		code.Delivery = pick(m, v1alpha1.DeliveryEmail, v1alpha1.DeliverySecretAndEmail)
		spec.Email = new(pick(m, "one@example.com", "two@example.com"))
	}
	if code.Purpose == v1alpha1.PurposeEnrollment && code.Type != v1alpha1.CodeShort && m.dice.IntN(2) == 0 {
		code.Renewal = v1alpha1.RenewalWhenExpired
	}
	if code.Type == v1alpha1.CodeInactive && m.dice.IntN(3) == 0 {
		code.Activation = v1alpha1.ActivationNow
	}
}

// edit changes a manifest as people do.
func (m *modelWorld) editAsked(a *asked, what string, change func(*v1alpha1.MFAUser)) {
	var user v1alpha1.MFAUser
	m.g.Expect(m.client.Get(m.ctx, a.key, &user)).To(Succeed())
	before := user.DeepCopy()
	change(&user)
	if err := m.client.Update(m.ctx, &user); err != nil {
		m.g.Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		return
	}
	m.noteManifest(a, &user)
	m.changed(before, &user)
	m.tell("%s: %s", what, describe(&user))
}

func (m *modelWorld) editManifest() {
	a, what := m.pickManifest(), m.dice.IntN(12)
	if a == nil {
		return
	}
	m.editAsked(a, "edit", func(u *v1alpha1.MFAUser) {
		switch what {
		case 0:
			u.Spec.Suspend = !u.Spec.Suspend
		case 1:
			u.Spec.ManagementPolicy = pick(m, v1alpha1.ManagementFull, v1alpha1.ManagementFull, v1alpha1.ManagementObserve)
		case 2:
			u.Spec.AdoptionPolicy = pick(m, v1alpha1.AdoptionNever, v1alpha1.AdoptionIfExists)
		case 3:
			u.Spec.DeletionPolicy = pick(m, v1alpha1.DeletionBlock, v1alpha1.DeletionDelete, v1alpha1.DeletionRetain)
		default:
			m.rollField(&u.Spec)
			m.rollField(&u.Spec)
		}
	})
}

func (m *modelWorld) editCode() {
	if a := m.pickManifest(); a != nil {
		m.editAsked(a, "edit code", func(u *v1alpha1.MFAUser) { m.rollCode(&u.Spec.Code, &u.Spec) })
	}
}

func (m *modelWorld) raiseGeneration() {
	if a := m.pickManifest(); a != nil {
		by := pick(m, int64(1), 1, 1, 2, -1, -2)
		m.editAsked(a, "generation", func(u *v1alpha1.MFAUser) {
			u.Spec.Code.Generation = new(max(0, a.generation()+by))
			if purpose := m.rollPurpose(a); purpose != rules.PurposePINErrors && m.dice.IntN(2) == 0 {
				u.Spec.Code.Purpose, u.Spec.Code.Renewal = purpose, v1alpha1.RenewalNever
			}
		})
	}
}

// rollToken rolls a value of the annotation: often one that was used before, now and then one that nobody can read.
func (m *modelWorld) rollToken(a *asked) string {
	if a != nil && len(a.tokens) > 0 && m.dice.IntN(3) == 0 {
		return pick(m, slices.Sorted(maps.Keys(a.tokens))...)
	}
	return string(m.rollPurpose(a)) + "/" + fmt.Sprint(m.dice.IntN(6)) + pick(m, "", "", "", "", "", "", "", " ", "/x", "é")
}

// rollPurpose rolls a purpose, mostly one that the account could have now.
func (m *modelWorld) rollPurpose(a *asked) v1alpha1.CodePurpose {
	of := []v1alpha1.CodePurpose{"Enrollment", "AddDevice", "Unlock", "Restore", "PINErrors"}
	if a != nil && m.dice.IntN(3) > 0 {
		account, _ := m.accountByID(a.account)
		fitting := slices.DeleteFunc(slices.Clone(of), func(p v1alpha1.CodePurpose) bool { return !modelFits(p, account) })
		if len(fitting) > 0 {
			of = fitting
		}
	}
	return pick(m, of...)
}

func (m *modelWorld) issueByHand() {
	a := m.pickManifest()
	if a == nil {
		return
	}
	value := m.rollToken(a)
	m.editAsked(a, "issue-code "+value, func(u *v1alpha1.MFAUser) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationIssueCode, value)
	})
}

func (m *modelWorld) reconcileByHand() {
	if a := m.pickManifest(); a != nil {
		value := fmt.Sprint(m.dice.IntN(1000))
		m.editAsked(a, "reconcile by hand", func(u *v1alpha1.MFAUser) {
			metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationReconcileRequestedAt, value)
		})
	}
}

func (m *modelWorld) deleteManifest() {
	a := m.pickManifest()
	if a == nil {
		return
	}
	m.tell("delete %s", a.key)
	a.deleting = true
	a.voidRequests()
	m.g.Expect(m.client.Delete(m.ctx, &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{Namespace: a.key.Namespace, Name: a.key.Name}})).To(Succeed())
	m.wake(a.key)
	m.notePass(a.key)
}

// describe tells a manifest in a line.
func describe(u *v1alpha1.MFAUser) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s login=%s", client.ObjectKeyFromObject(u), u.Spec.Login)
	fields := statedFields(&u.Spec)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, " %s=%v", name, fields[name])
	}
	if u.Spec.Groups != nil {
		fmt.Fprintf(&b, " groups=%v", u.Spec.Groups)
	}
	code := u.Spec.Code
	fmt.Fprintf(&b, " %s/%s/%s suspend=%v code={%d %s %s %s %s %s} asked=%q", u.Spec.ManagementPolicy, u.Spec.AdoptionPolicy, u.Spec.DeletionPolicy,
		u.Spec.Suspend, code.WantedGeneration(), code.Purpose, code.Type, code.Delivery, code.Renewal, code.Activation,
		u.Annotations[v1alpha1.AnnotationIssueCode])
	return b.String()
}
