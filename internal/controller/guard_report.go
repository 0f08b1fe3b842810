package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// usage is what the MFAUsers of a connection make of it.
type usage struct {
	// holders and held count users by namespace: those that hold an account or may be making one, and those whose removal
	// the guard holds.
	holders, held perNamespace
	// heldKeys are the latter.
	heldKeys []types.NamespacedName
	// waiting are the accounts whose removal is asked for.
	waiting rules.Accounts
}

type perNamespace map[string]int

func usageOf(conn *v1alpha1.MFAConnection, users everyUser) usage {
	u := usage{holders: perNamespace{}, held: perNamespace{}, waiting: rules.AwaitingRemoval(conn, users)}
	for user := range users {
		if holdsOn(user) {
			u.holders[user.Namespace]++
		}
		if heldBack(user) {
			u.held[user.Namespace]++
			u.heldKeys = append(u.heldKeys, client.ObjectKeyFromObject(user))
		}
	}
	return u
}

func (p perNamespace) total() int {
	total := 0
	for _, n := range p {
		total += n
	}
	return total
}

// namespacesNamed is how many namespaces a message names.
const namespacesNamed = 5

// String names the namespaces with the most, the same way each time.
func (p perNamespace) String() string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if p[a] != p[b] {
			return p[b] - p[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names[:min(len(names), namespacesNamed)] {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, p[name]))
	}
	text := strings.Join(parts, ", ")
	if more := len(names) - namespacesNamed; more > 0 {
		text += fmt.Sprintf(" and %d more namespaces", more)
	}
	return text
}

// describeGuard says how many removals are held and who asked for them.
func (s *connectionScope) describeGuard(set func(string, metav1.ConditionStatus, string, string)) {
	held := s.use.held.total()
	if held == 0 {
		meta.RemoveStatusCondition(&s.object.Status.Conditions, v1alpha1.ConditionChangesHeld)
		return
	}
	set(v1alpha1.ConditionChangesHeld, metav1.ConditionTrue, v1alpha1.ReasonGuardLimitReached, fmt.Sprintf(
		"removals held: %d, asked for in the namespaces: %s. With those of the changeGuard's window they are more than its maxRemovals. "+
			"See which they are, then let some go with the annotation trustbuilder-mfa.dev/approve-removals: <n>/<token>, or raise maxRemovals%s",
		held, s.use.held, s.approvalHint()))
}

// wakeHeld wakes the users whose removal is held, once they may go.
func (r *ConnectionReconciler) wakeHeld(s *connectionScope) {
	at, ever := s.guardOpens()
	if !s.approved && !(ever && !at.After(s.now)) {
		return
	}
	for _, key := range s.use.heldKeys {
		r.users.add(key)
	}
}

func (s *connectionScope) guardOpens() (at time.Time, ever bool) {
	return rules.GuardOf(s.object).Opens(s.object.Status.Removals, s.use.waiting, s.now)
}

// guardDeadline is the next time at which the guard has something to do by itself: removals may go, or an approval lapses.
func (s *connectionScope) guardDeadline() time.Time {
	var next time.Time
	if at, ever := s.guardOpens(); ever && len(s.use.heldKeys) > 0 && at.After(s.now) {
		next = at
	}
	if approval := s.object.Status.Approval; approval != nil && (next.IsZero() || approval.ExpiresAt.Time.Before(next)) {
		next = approval.ExpiresAt.Time
	}
	return next
}
