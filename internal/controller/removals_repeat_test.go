package controller

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// TestRepeatedRemovalsMakeRoom: a manifest that comes and goes a thousand times within the window does not fill the record
// for all others, and costs nobody his way back.
func TestRepeatedRemovalsMakeRoom(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	conn := &v1alpha1.MFAConnection{}
	at := func(n int, account string, action v1alpha1.RemovalAction) v1alpha1.Removal {
		return v1alpha1.Removal{
			AccountID: account, UID: types.UID(fmt.Sprint(n)), Action: action, Released: true,
			Time: metav1.NewTime(now.Add(time.Duration(n-removalsMax) * time.Second)),
		}
	}
	conn.Status.Removals = []v1alpha1.Removal{at(0, "other", v1alpha1.RemovalBlock)}
	for n := 1; n < removalsMax; n++ {
		conn.Status.Removals = append(conn.Status.Removals, at(n, "churn", []v1alpha1.RemovalAction{v1alpha1.RemovalBlock, v1alpha1.RemovalKeep}[n%2]))
	}
	kept, err := withRoom(conn, now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kept).To(HaveLen(removalsMax - 1))
	g.Expect(kept[0].AccountID).To(Equal("other"))

	for n := range conn.Status.Removals {
		conn.Status.Removals[n].AccountID = string(rune('0' + n))
		conn.Status.Removals[n].Action = v1alpha1.RemovalKeep
	}
	_, err = withRoom(conn, now)
	g.Expect(err).NotTo(HaveOccurred(), "Keep takes nothing away: it never holds the removals of others")
}
