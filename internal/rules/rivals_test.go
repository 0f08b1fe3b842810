package rules

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

func TestOwns(t *testing.T) {
	at := func(second int64) metav1.Time { return metav1.Unix(second, 0) }
	user := func(uid string, created metav1.Time, edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
		u := &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid), CreationTimestamp: created}}
		for _, edit := range edits {
			edit(u)
		}
		return u
	}
	holds := func(u *v1alpha1.MFAUser) { u.Status.AccountID = "1" }
	makes := func(u *v1alpha1.MFAUser) { u.Status.Creating = &v1alpha1.CreationIntent{} }
	dies := func(u *v1alpha1.MFAUser) { u.DeletionTimestamp = new(at(9)) }
	cases := map[string]struct{ owner, other *v1alpha1.MFAUser }{
		"the older":                        {user("b", at(1)), user("a", at(2))},
		"of the same age, the lower UID":   {user("a", at(1)), user("b", at(1))},
		"the holder, though younger":       {user("b", at(2), holds), user("a", at(1))},
		"the holder, before who makes one": {user("b", at(2), holds), user("a", at(1), makes)},
		"who makes one, though younger":    {user("b", at(2), makes), user("a", at(1))},
		"of two holders the older":         {user("b", at(1), holds), user("a", at(2), holds)},
		"a holder on its way out":          {user("b", at(2), holds, dies), user("a", at(1))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(Owns(tc.owner, tc.other)).To(BeTrue())
			g.Expect(Owns(tc.other, tc.owner)).To(BeFalse(), "one of two owns, never both")
		})
	}
}

// TestHoldsShown: where tokens don't say which service they are for, the account itself tells.
func TestHoldsShown(t *testing.T) {
	connection := func(uid, url, service string) *v1alpha1.MFAConnection {
		return &v1alpha1.MFAConnection{
			ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid)},
			Spec:       v1alpha1.MFAConnectionSpec{URL: url},
			Status:     v1alpha1.MFAConnectionStatus{ServiceID: service},
		}
	}
	const here = "https://mfa.example.com/eu"
	cases := map[string]struct {
		other       *v1alpha1.MFAConnection
		held, shown string
		want        bool
	}{
		"the account":                   {connection("b", here, ""), "1", "1", true},
		"another account":               {connection("b", here, ""), "2", "1", false},
		"it holds none":                 {connection("b", here, ""), "", "1", false},
		"none is shown":                 {connection("b", here, ""), "", "", false},
		"of another service":            {connection("b", here, "8"), "1", "1", false},
		"at an endpoint of its owner's": {connection("b", "https://mfa.example.org/eu", ""), "1", "1", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rival := &v1alpha1.MFAUser{Status: v1alpha1.MFAUserStatus{AccountID: tc.held}}
			shown := mfaclient.Account{ID: mfaclient.AccountID(tc.shown)}
			NewWithT(t).Expect(HoldsShown(connection("a", here, "7"), tc.other, rival, shown)).To(Equal(tc.want))
		})
	}
}

func TestSameService(t *testing.T) {
	connection := func(uid, url, service string) *v1alpha1.MFAConnection {
		return &v1alpha1.MFAConnection{
			ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid)},
			Spec:       v1alpha1.MFAConnectionSpec{URL: url},
			Status:     v1alpha1.MFAConnectionStatus{ServiceID: service},
		}
	}
	first := connection("a", "https://mfa.example.com/eu", "7")
	cases := map[string]struct {
		other       *v1alpha1.MFAConnection
		same, maybe bool
	}{
		"itself":                        {connection("a", "https://mfa.example.com/eu", ""), true, true},
		"the same URL":                  {connection("b", "https://mfa.example.com/eu", "7"), true, true},
		"a slash at the end":            {connection("b", "https://mfa.example.com/eu/", "7"), true, true},
		"the standard port":             {connection("b", "https://mfa.example.com:443/eu", "7"), true, true},
		"the host in capitals":          {connection("b", "HTTPS://MFA.example.com/eu", "7"), true, true},
		"the dot of the root":           {connection("b", "https://mfa.example.com./eu", "7"), true, true},
		"another port":                  {connection("b", "https://mfa.example.com:8443/eu", "7"), false, false},
		"another path":                  {connection("b", "https://mfa.example.com/EU", "7"), false, false},
		"another host":                  {connection("b", "https://mfa.example.org/eu", "7"), false, false},
		"another service":               {connection("b", "https://mfa.example.com/eu", "8"), false, false},
		"a service that is not known":   {connection("b", "https://mfa.example.com/eu", ""), false, true},
		"a URL that can't be read":      {connection("b", "https://mfa example.com/eu", "7"), false, false},
		"a URL that the client refuses": {connection("b", "http://mfa.example.com/eu", "7"), false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(SameService(first, tc.other)).To(Equal(tc.same))
			g.Expect(SameService(tc.other, first)).To(Equal(tc.same))
			g.Expect(MayBeSameService(first, tc.other)).To(Equal(tc.maybe))
			g.Expect(MayBeSameService(tc.other, first)).To(Equal(tc.maybe))
		})
	}
}
