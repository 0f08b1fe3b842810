package controller

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// expiringWithin is how long before its end a live code counts as running out.
const expiringWithin = 24 * time.Hour

// The stages of the enrolment of a person, each user being in one.
const (
	stageNoAccount = "NoAccount" // a manifest, and no account yet
	stageAccount   = "Account"   // an account, and no code was handed out
	stageCodeOut   = "CodeOut"   // a live enrolment code waits for the person
	stageCodeGone  = "CodeGone"  // the code ran out, was lost or was used without a device to show for it
	stageEnrolled  = "Enrolled"  // at least one device
	stageBlocked   = "Blocked"   // out of it
)

// userDescs are the gauges that count the MFAUsers of each connection.
type userDescs struct {
	users, notReady, enrollment, codes, expiring, held *prometheus.Desc
}

func newUserDescs() userDescs {
	return userDescs{
		users:      gaugeOf("users", "MFAUsers by connection (empty: it does not exist), state of the account (None: there is none) and status of Ready.", "state", "ready"),
		notReady:   gaugeOf("users_not_ready", "MFAUsers whose Ready is False, by its reason.", "reason"),
		enrollment: gaugeOf("users_enrollment", "MFAUsers by how far the person has come: NoAccount, Account, CodeOut, CodeGone, Enrolled, Blocked.", "stage"),
		codes:      gaugeOf("codes", "The newest code of each MFAUser, by purpose, type and phase.", "purpose", "type", "phase"),
		expiring:   gaugeOf("codes_expiring", "Live codes that run out within a day, by purpose and type.", "purpose", "type"),
		held:       gaugeOf("removals_held", "MFAUsers whose removal the changeGuard holds."),
	}
}

func (d userDescs) all() []*prometheus.Desc {
	return []*prometheus.Desc{d.users, d.notReady, d.enrollment, d.codes, d.expiring, d.held}
}

// series is one line of the exposition: a gauge, the connection, and up to three more labels.
type series struct {
	desc       *prometheus.Desc
	connection types.NamespacedName
	labels     [3]string
}

// tally counts users per series.
type tally map[series]int

func (t tally) count(desc *prometheus.Desc, connection types.NamespacedName, labels ...string) {
	s := series{desc: desc, connection: connection}
	copy(s.labels[:], labels)
	t[s]++
}

func (c *collector) collectUsers(out chan<- prometheus.Metric) {
	counts := tally{}
	for _, conn := range c.world.connections.all() {
		counts[series{desc: c.users.held, connection: conn.key}] = 0 // none is a number too
	}
	for user := range c.world.everyUser {
		c.countUser(counts, user)
	}
	for s, n := range counts {
		labels := []string{s.connection.Namespace, s.connection.Name}
		for _, label := range s.labels {
			if label != "" {
				labels = append(labels, label)
			}
		}
		out <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, float64(n), labels...)
	}
}

func (c *collector) countUser(counts tally, user *v1alpha1.MFAUser) {
	d := c.users
	connection := user.ConnectionKey()
	if !c.world.connections.has(connection) {
		connection = types.NamespacedName{} // a name that anybody may have made up is no label
	}
	ready := readyOf(user.Status.Conditions)
	counts.count(d.users, connection, cmp.Or(string(user.Status.State), "None"), cmp.Or(string(ready.Status), string(metav1.ConditionUnknown)))
	if ready.Status == metav1.ConditionFalse {
		counts.count(d.notReady, connection, ready.Reason)
	}
	if heldBack(user) {
		counts.count(d.held, connection)
	}
	counts.count(d.enrollment, connection, enrollmentStage(user))
	c.countCode(counts, connection, user.Status.Code)
}

func (c *collector) countCode(counts tally, connection types.NamespacedName, code *v1alpha1.CodeStatus) {
	if code == nil || code.Phase == "" {
		return
	}
	purpose, codeType := code.Purpose, code.Type
	if code.Pending != nil && purpose == "" { // the first one, which is not there yet
		purpose, codeType = code.Pending.Purpose, code.Pending.Type
	}
	labels := []string{cmp.Or(string(purpose), "None"), cmp.Or(string(codeType), "None"), string(code.Phase)}
	counts.count(c.users.codes, connection, labels...)
	if live(code) && code.ExpiresAt != nil && code.ExpiresAt.Sub(c.world.now()) < expiringWithin {
		counts.count(c.users.expiring, connection, labels[:2]...)
	}
}

// enrollmentStage is how far a person has come.
func enrollmentStage(user *v1alpha1.MFAUser) string {
	status := &user.Status
	switch status.State {
	case v1alpha1.StateActivated, v1alpha1.StatePinBlocked:
		return stageEnrolled
	case v1alpha1.StateBlocked:
		return stageBlocked
	}
	switch code := status.Code; {
	case status.AccountID == "":
		return stageNoAccount
	case code == nil || code.IssuedAt == nil:
		return stageAccount
	case live(code):
		return stageCodeOut
	case status.State == "":
		return stageNoAccount // it is gone, and no other is made yet
	case status.State == v1alpha1.StateUnknown:
		return stageAccount
	}
	return stageCodeGone
}
