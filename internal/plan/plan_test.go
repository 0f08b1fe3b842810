package plan

import (
	"context"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// remote is a service that has nothing but its listing.
type remote struct{ accounts *inventory.Inventory }

func (r remote) GetAccount(_ context.Context, id mfaclient.AccountID) (mfaclient.Account, error) {
	if account, ok := r.accounts.ByID(id); ok {
		return account, nil
	}
	return mfaclient.Account{}, &mfaclient.Error{Kind: mfaclient.KindNotFound}
}

func (remote) ListGroups(context.Context) ([]mfaclient.Group, error) { return nil, nil }

func (remote) ListAccountGroups(context.Context, mfaclient.AccountID) ([]mfaclient.Membership, error) {
	return nil, nil
}

// newService has the accounts, and a connection that allows everything but roles of the service's own.
func newService(accounts ...mfaclient.Account) *Service {
	picture := inventory.New(inventory.Options{Clock: clocktesting.NewFakePassiveClock(now)})
	for _, account := range accounts {
		picture.Put(account)
	}
	conn := &v1alpha1.MFAConnection{}
	conn.Spec.Policy = v1alpha1.ConnectionPolicy{
		LoginPatterns: []string{"*"}, Adoption: v1alpha1.ConnectionAdoptionAllow,
		Roles: []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager, v1alpha1.RoleAdministrator},
	}
	return &Service{
		Connection: conn, Accounts: picture, Remote: remote{picture}, AdminLogin: "admin", Now: now,
		NamespaceAllowed: func(string) (bool, error) { return true, nil },
		Competes:         func(*v1alpha1.MFAUser) (bool, error) { return false, nil },
		StillHeld: func(user *v1alpha1.MFAUser, _ mfaclient.AccountID) (bool, error) {
			return user.Annotations["held"] != "", nil
		},
	}
}

// held is an MFAUser that holds the account 1, with nothing to do.
func held(edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
	user := &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "alice", Generation: 1, Annotations: map[string]string{}}}
	user.Spec.Login = "alice"
	user.Status = v1alpha1.MFAUserStatus{AccountID: "1", HandledCodeGeneration: 1, ObservedGeneration: 1}
	for _, edit := range edits {
		edit(user)
	}
	return user
}

type user = *v1alpha1.MFAUser

func asks(purpose string) func(user) {
	return func(u user) { u.Annotations[v1alpha1.AnnotationIssueCode] = purpose + "/token" }
}

func code(status v1alpha1.CodeStatus) func(user) { return func(u user) { u.Status.Code = &status } }

// TestOf: what a person holds and what happens beside fields and groups.
func TestOf(t *testing.T) {
	alice := mfaclient.Account{ID: "1", Login: "alice", Role: mfaclient.RoleUser, State: mfaclient.StateActivated}
	chief := mfaclient.Account{ID: "1", Login: "alice", Role: mfaclient.RoleAdministrator, State: mfaclient.StateActivated}
	blocked := alice
	blocked.Blocked, blocked.State = true, mfaclient.StateBlocked
	block := func(u user) { u.Spec.Access = new(v1alpha1.AccessBlocked) }
	dies := func(u user) { u.DeletionTimestamp = new(metav1.NewTime(now)) }
	gone := func(u user) { u.Status.AccountID = "2" }
	cases := map[string]struct {
		account mfaclient.Account
		user    user
		action  Action
		note    string // of the last one
		reason  string
		removes bool
	}{
		"nothing to do":               {alice, held(), Nothing, "", "", false},
		"a code that fits":            {alice, held(asks("AddDevice")), Code, "a code for AddDevice goes into the Secret alice-mfa, and cancels the one before", "", false},
		"a code that does not":        {alice, held(asks("Unlock")), Nothing, "the request for a code (annotation/token) is refused: Unlock is for an account that is PinBlocked, and this one is Activated", "", false},
		"a code for who is blocked":   {alice, held(asks("AddDevice"), block), Block, "the request for a code (annotation/token) is refused: the account is blocked", "", true},
		"a code after the block":      {blocked, held(asks("Unlock"), func(u user) { u.Spec.Access = new(v1alpha1.AccessAllowed) }), Update, "whether the request for a code (annotation/token) fits shows once the block is lifted", "", false},
		"a Restore code":              {alice, held(asks("Restore")), Code, "a code for Restore goes into the Secret alice-mfa, and cancels the one before", "", true},
		"a Restore code of the chief": {chief, held(asks("Restore")), Nothing, "the request for a code (annotation/token) is refused: this is the last administrator of the service; it is never blocked, demoted or deleted", "", false},
		"wrong PINs":                  {alice, held(asks("PINErrors")), Code, "the service forgets wrong PINs", "", false},
		"a request that is none":      {alice, held(asks("Party")), Nothing, "the request for a code (annotation) is refused: the annotation trustbuilder-mfa.dev/issue-code must be <Purpose>/<token>, where the purpose is Enrollment, AddDevice, Unlock, Restore or PINErrors, and the token 1 to 63 letters, digits or characters of .:_- that were not used before", "", false},
		"a code to be switched on": {alice, held(code(v1alpha1.CodeStatus{Phase: v1alpha1.CodeInactivePhase, Purpose: v1alpha1.PurposeAddDevice}),
			func(u user) { u.Spec.Code.Activation = v1alpha1.ActivationNow }), Code, "the code is switched on", "", false},
		"a link to be mailed": {alice, held(code(v1alpha1.CodeStatus{Phase: v1alpha1.CodeActive, Delivery: v1alpha1.DeliveryEmail})), Code, "the link is mailed to the person", "", false},
		"a code to be renewed": {mfaclient.Account{ID: "1", Login: "alice", Role: mfaclient.RoleUser, State: mfaclient.StateExpired},
			held(code(v1alpha1.CodeStatus{Phase: v1alpha1.CodeExpired, Request: "create", Purpose: v1alpha1.PurposeEnrollment, Type: v1alpha1.CodeLink}), func(u user) {
				u.Spec.Code.Renewal, u.Spec.Code.Purpose, u.Spec.Code.Type = v1alpha1.RenewalWhenExpired, v1alpha1.PurposeEnrollment, v1alpha1.CodeLink
			}), Code, "a code for Enrollment goes into the Secret alice-mfa, and cancels the one before", "", false},
		"the last administrator":  {chief, held(block), Refused, "", v1alpha1.ReasonProtectedAccount, false},
		"one who is demoted":      {chief, held(func(u user) { u.Spec.Role = new(v1alpha1.RoleUser) }), Refused, "", v1alpha1.ReasonProtectedAccount, false},
		"one who was renamed":     {mfaclient.Account{ID: "1", Login: "eve", Role: mfaclient.RoleUser}, held(), Refused, "", v1alpha1.ReasonIdentityMismatch, false},
		"an account that is gone": {mfaclient.Account{ID: "9", Login: "eve"}, held(gone), Create, "its enrolment code goes into the Secret alice-mfa", "", true},
		"a field that was given up": {alice, held(func(u user) {
			u.Spec.Phone, u.Status.Corrections = new("+33"), []v1alpha1.FieldCorrection{{Field: "phone", Writes: 3}}
		}), Nothing, "phone differs and is left alone: the service did not keep it three times", "", false},
		"a field given up, asked for again": {alice, held(func(u user) {
			u.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
			u.Spec.Phone, u.Status.Corrections = new("+33"), []v1alpha1.FieldCorrection{{Field: "phone", Writes: 3}}
		}), Update, "", "", false},
		"one who leaves":            {alice, held(dies), Block, "", "", true},
		"one who leaves for good":   {alice, held(dies, func(u user) { u.Spec.DeletionPolicy = v1alpha1.DeletionDelete }), Delete, "the account is deleted with all its devices", "", true},
		"one who left already":      {blocked, held(dies), Nothing, "deleted: the account is blocked already, and stays so", "", false},
		"one who leaves suspended":  {alice, held(dies, func(u user) { u.Spec.Suspend = true }), Nothing, "deleted: the account stays as it is", "", false},
		"one of two who hold it":    {alice, held(dies, func(u user) { u.Annotations["held"] = "too" }), Nothing, "deleted: another MFAUser holds the account too, which stays as it is", "", false},
		"a chief who leaves":        {chief, held(dies), Refused, "", v1alpha1.ReasonProtectedAccount, false},
		"one whose account is gone": {alice, held(dies, gone), Nothing, "deleted: its account is gone", "", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			before := tc.user.DeepCopy()
			item, err := newService(tc.account).Of(t.Context(), tc.user)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(tc.user).To(Equal(before), "the MFAUser stays as it is")
			note := ""
			if n := len(item.Notes); n > 0 {
				note = item.Notes[n-1]
			}
			g.Expect([]any{item.Action, note, item.Reason, item.Removes}).To(Equal([]any{tc.action, tc.note, tc.reason, tc.removes}))
		})
	}
}

// TestWayBack: a manifest that comes back gets the account that its removal had blocked, unblocked.
func TestWayBack(t *testing.T) {
	g := NewWithT(t)
	s := newService(mfaclient.Account{ID: "1", Login: "alice", Role: mfaclient.RoleUser, State: mfaclient.StateBlocked, Blocked: true})
	s.Connection.Status.Removals = []v1alpha1.Removal{{
		AccountID: "1", Namespace: "team", Name: "alice", Login: "alice", Action: v1alpha1.RemovalBlock, Released: true, Time: metav1.NewTime(now.Add(-time.Hour)),
	}}
	item, err := s.Of(t.Context(), held(func(u user) { u.Status = v1alpha1.MFAUserStatus{} }))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(item.Action).To(Equal(Update))
	g.Expect(item.Changes).To(Equal([]Change{{"access", "Blocked", "Allowed"}}))
	g.Expect(item.Notes).To(Equal([]string{"takes up the account that an earlier removal of this MFAUser had left"}))
}

// TestHeld counts distinct accounts with those of the window, as the operator's guard does.
func TestHeld(t *testing.T) {
	g := NewWithT(t)
	s := newService()
	s.Connection.Spec.ChangeGuard.MaxRemovals = new(int32(2))
	two := []Item{{Action: Block, AccountID: "1", Removes: true}, {Action: Delete, AccountID: "2", Removes: true}, {Action: Refused, AccountID: "3", Removes: true}}
	nobody := slices.Values([]*v1alpha1.MFAUser(nil))
	g.Expect(s.Held(two, nobody)).To(BeEmpty())
	s.Connection.Status.Removals = []v1alpha1.Removal{{AccountID: "1", Action: v1alpha1.RemovalBlock, Time: metav1.NewTime(now)}}
	g.Expect(s.Held(two, nobody)).To(BeEmpty(), "the same again")
	s.Connection.Status.Removals[0].AccountID = "9"
	g.Expect(s.Held(two, nobody)).To(ContainSubstring("2 accounts would lose access or devices"))

	s.Connection.Status.Removals = nil
	leaver := held(func(u user) { u.DeletionTimestamp, u.Status.AccountID = &metav1.Time{Time: now}, "7" })
	g.Expect(s.Held(two, slices.Values([]*v1alpha1.MFAUser{leaver}))).To(ContainSubstring("2 accounts would lose access or devices, beside those that wait for it already (1)"))
	leaver.Status.AccountID = "1"
	g.Expect(s.Held(two, slices.Values([]*v1alpha1.MFAUser{leaver}))).To(BeEmpty(), "one of the two")
}
