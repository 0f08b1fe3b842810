package rules

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
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
