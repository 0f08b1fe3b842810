package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

const (
	// rewriteAfter is how long a field waits that the very answer to its write showed not kept.
	rewriteAfter = 10 * time.Second
	// correctionLife is how long after a write a difference still counts as the service's doing when nothing is known of
	// the listings since, as after a restart.
	correctionLife = 24 * time.Hour
)

// converge ends the pass of a user whose fields the service does not keep. It comes last: a phone number that the service
// will not have keeps nobody from groups and codes.
func (r *UserReconciler) converge(_ context.Context, s *scope) error {
	switch {
	case len(s.unkept) > 0:
		return stalled(v1alpha1.ReasonNotConverging, "three times the service did not keep what was written to: "+strings.Join(s.unkept, ", ")+
			"; it is left alone until the manifest changes or the annotation trustbuilder-mfa.dev/reconcile-requested-at asks for another try")
	case len(s.again) > 0:
		return waiting(v1alpha1.ReasonProgressing, "the service did not keep what was written to: "+strings.Join(s.again, ", ")+"; it is written again")
	case s.mailWaits:
		return waiting(v1alpha1.ReasonProgressing, "the link is mailed once the account has the address that is stated")
	}
	return nil
}

// recount drops the counts of writes that no longer speak against the service: those for another manifest, those of fields
// that have their value after all, and those whose value had been seen to hold before somebody changed it. A request by
// hand gives what was given up another three tries.
func (s *scope) recount(diff rules.Difference) {
	differing, changed := diff.Names(), s.user.Status.ObservedGeneration != s.user.Generation
	s.user.Status.Corrections = slices.DeleteFunc(s.user.Status.Corrections, func(c v1alpha1.FieldCorrection) bool {
		differs, givenUp := slices.Contains(differing, c.Field), c.Writes >= rules.MaxWrites
		switch {
		case changed:
			return true
		case givenUp:
			return s.requested != "" || !differs && s.conn.inventory.Shows(c.At.Time)
		}
		// Of a field that is as stated the count stays, at no cost: a later listing may yet show the value gone.
		return differs && s.hasHeld(c)
	})
}

// hasHeld tells whether what was written last had been kept for a listing. Then it was a person who changed it later.
func (s *scope) hasHeld(c v1alpha1.FieldCorrection) bool {
	return s.conn.inventory.Kept(s.account.ID, c.At.Time) || s.now.Sub(c.At.Time) > correctionLife
}

// writable returns what of a difference is to be written, and notes what has been given up.
func (s *scope) writable(diff rules.Difference) rules.Difference {
	s.unkept = nil
	return slices.DeleteFunc(diff, func(c rules.Change) bool {
		if s.writesOf(c.Name) < rules.MaxWrites {
			return false
		}
		s.unkept = append(s.unkept, c.Name)
		return true
	})
}

func (s *scope) writesOf(field string) int32 {
	for _, c := range s.user.Status.Corrections {
		if c.Field == field {
			return c.Writes
		}
	}
	return 0
}

// countWrites notes that the fields of a difference have been written once more.
func (s *scope) countWrites(written rules.Difference) {
	for _, name := range written.Names() {
		now := v1alpha1.FieldCorrection{Field: name, Writes: s.writesOf(name) + 1, At: metav1.NewTime(s.now)}
		others := slices.DeleteFunc(s.user.Status.Corrections, func(c v1alpha1.FieldCorrection) bool { return c.Field == name })
		s.user.Status.Corrections = append(others, now)
	}
}

// judgeWrites says how the account stands after a write, by its answer.
func (s *scope) judgeWrites(left rules.Difference) {
	if s.again = s.writable(left).Names(); len(s.again) > 0 {
		s.wakeAt(s.now.Add(rewriteAfter))
	}
	if len(s.again)+len(s.unkept) == 0 {
		s.markFieldsInSync()
		return
	}
	s.markInSync()
}
