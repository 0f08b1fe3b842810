package plugin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// stand writes a status as the operator would.
func (w *world) stand(name string, status metav1.ConditionStatus, reason string, edits ...func(*v1alpha1.MFAUserStatus)) {
	w.t.Helper()
	w.create(w.user(name))
	user := w.get(name)
	user.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: "as it is", LastTransitionTime: metav1.Now()}}
	for _, edit := range edits {
		edit(&user.Status)
	}
	w.g.Expect(w.client.Status().Update(w.ctx, user)).To(Succeed())
}

func stalledToo(s *v1alpha1.MFAUserStatus) {
	condition := s.Conditions[0]
	condition.Type, condition.Status = v1alpha1.ConditionStalled, metav1.ConditionTrue
	s.Conditions = append(s.Conditions, condition)
}

func withCode(phase v1alpha1.CodePhase) func(*v1alpha1.MFAUserStatus) {
	return func(s *v1alpha1.MFAUserStatus) {
		s.Code = &v1alpha1.CodeStatus{Phase: phase, ExpiresAt: &metav1.Time{Time: time.Now().Add(90 * time.Minute)}}
	}
}

func inState(state v1alpha1.AccountState) func(*v1alpha1.MFAUserStatus) {
	return func(s *v1alpha1.MFAUserStatus) { s.State, s.AccountID = state, "1" }
}

// newStatuses makes a namespace in which everything occurs, named against the order that it is to be shown in.
func newStatuses(t *testing.T) *world {
	w := newWorld(t)
	w.create(w.user("d-unseen"))
	w.stand("a-fine", metav1.ConditionTrue, v1alpha1.ReasonReconciled, inState(v1alpha1.StateActivated), withCode(v1alpha1.CodeUsed))
	w.stand("b-expired", metav1.ConditionTrue, v1alpha1.ReasonReconciled, inState(v1alpha1.StateExpired), withCode(v1alpha1.CodeExpired))
	w.stand("c-differs", metav1.ConditionTrue, v1alpha1.ReasonChangesPending, inState(v1alpha1.StateActivated), func(s *v1alpha1.MFAUserStatus) { s.PendingChanges = []string{"email"} })
	w.stand("e-waiting", metav1.ConditionFalse, v1alpha1.ReasonRateLimited)
	w.stand("z-taken", metav1.ConditionFalse, v1alpha1.ReasonAccountConflict, stalledToo)
	return w
}

func firstWords(table string, column int) (words []string) {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			return words
		}
		words = append(words, fields[column])
	}
	return words
}

// TestStatusTable: those that need somebody come first, and the counts last.
func TestStatusTable(t *testing.T) {
	w := newStatuses(t)
	got := w.mfa("status")
	w.g.Expect(got.code).To(BeZero(), got.err)
	w.g.Expect(firstWords(got.out, 1)).To(Equal([]string{"NAME", "z-taken", "d-unseen", "e-waiting", "c-differs", "b-expired", "a-fine"}))
	w.g.Expect(got.out).To(HaveSuffix("\n6 users, 3 ready; not ready: 1 AccountConflict, 1 RateLimited, 1 Unknown; states: 2 Activated, 1 Expired, 3 none; codes: 1 Expired, 1 Used\n"))
	w.g.Expect(got.out).NotTo(ContainSubstring("CONNECTION"))
	wide := w.mfa("status", "-o", "wide")
	w.g.Expect(wide.out).To(ContainSubstring("CODE EXPIRES"))
	w.g.Expect(wide.out).To(ContainSubstring(w.mfaNamespace + "/production"))
	w.g.Expect(wide.out).To(ContainSubstring("in 89m"))
}

func TestStatusFilters(t *testing.T) {
	w := newStatuses(t)
	other := newWorld(t)
	other.create(other.user("elsewhere"))
	cases := map[string]struct {
		args []string
		want string
	}{
		"problems":      {[]string{"--problems"}, "z-taken d-unseen e-waiting c-differs b-expired"},
		"a name":        {[]string{"a-fine"}, "a-fine"},
		"a state":       {[]string{"--state", "expired"}, "b-expired"},
		"a reason":      {[]string{"--reason", "ChangesPending,RateLimited"}, "e-waiting c-differs"},
		"another label": {[]string{"-l", "team=none"}, ""},
		"a connection":  {[]string{"-A", "--connection", other.mfaNamespace + "/production"}, "elsewhere"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := w.mfa(append([]string{"status", "-o", "json"}, tc.args...)...)
			g.Expect(got.code).To(BeZero(), got.err)
			var report struct {
				Users  []struct{ Name string }
				Counts struct{ Total int }
			}
			g.Expect(json.Unmarshal([]byte(got.out), &report)).To(Succeed())
			names := make([]string, 0, len(report.Users))
			for _, user := range report.Users {
				names = append(names, user.Name)
			}
			g.Expect(strings.Join(names, " ")).To(Equal(tc.want))
			g.Expect(report.Counts.Total).To(Equal(len(names)))
		})
	}
	w.g.Expect(w.mfa("status", "-A").out).To(And(ContainSubstring("elsewhere"), ContainSubstring("a-fine")))
	w.g.Expect(w.mfa("status", "-o", "yaml").out).To(HavePrefix("counts:\n"))
	w.g.Expect(w.mfa("status", "-o", "xml").err).To(ContainSubstring(`there is no format "xml"`))
	w.g.Expect(w.mfa("status", "-n", "empty").err).To(Equal("No MFAUsers found in the namespace empty.\n"))
}
