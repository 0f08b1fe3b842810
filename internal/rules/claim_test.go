package rules

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// TestReleasedRemoval: the newest removal of an account says whose it was, for 30 days.
func TestReleasedRemoval(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	// entry was written so many days ago, for a namespace's MFAUser alice.
	entry := func(days int, namespace string, edits ...func(*v1alpha1.Removal)) v1alpha1.Removal {
		removal := v1alpha1.Removal{
			AccountID: "1", Namespace: namespace, Name: "alice", Login: "alice", Action: v1alpha1.RemovalBlock, Released: true,
			Time: metav1.NewTime(now.Add(-time.Duration(days) * day)),
		}
		for _, edit := range edits {
			edit(&removal)
		}
		return removal
	}
	another := func(r *v1alpha1.Removal) { r.AccountID = "2" }
	stays := func(r *v1alpha1.Removal) { r.Released = false }
	cases := map[string]struct {
		record []v1alpha1.Removal
		want   int // which of them proves the account; -1 for none
	}{
		"none":                         {nil, -1},
		"its own":                      {[]v1alpha1.Removal{entry(3, "a")}, 0},
		"the newest of its own":        {[]v1alpha1.Removal{entry(3, "a"), entry(2, "a")}, 1},
		"of a month ago":               {[]v1alpha1.Removal{entry(30, "a")}, -1},
		"of another":                   {[]v1alpha1.Removal{entry(3, "b")}, -1},
		"another had it since":         {[]v1alpha1.Removal{entry(12, "a"), entry(2, "b")}, -1},
		"another had it before":        {[]v1alpha1.Removal{entry(12, "b"), entry(2, "a")}, 1},
		"another has other accounts":   {[]v1alpha1.Removal{entry(3, "a"), entry(2, "b", another)}, 0},
		"of another account":           {[]v1alpha1.Removal{entry(3, "a", another)}, -1},
		"a block that its spec states": {[]v1alpha1.Removal{entry(3, "a", stays)}, -1},
		"another has blocked it since": {[]v1alpha1.Removal{entry(3, "a"), entry(2, "b", stays)}, -1},
		"it had blocked it itself":     {[]v1alpha1.Removal{entry(3, "a"), entry(2, "a", stays)}, 0},
	}
	user := &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "alice"}, Spec: v1alpha1.MFAUserSpec{Login: "Alice"}}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			conn := &v1alpha1.MFAConnection{Status: v1alpha1.MFAConnectionStatus{Removals: tc.record}}
			var want *v1alpha1.Removal
			if tc.want >= 0 {
				want = &conn.Status.Removals[tc.want]
			}
			NewWithT(t).Expect(ReleasedRemoval(conn, user, mfaclient.Account{ID: "1"}, now)).To(BeIdenticalTo(want))
		})
	}
}
