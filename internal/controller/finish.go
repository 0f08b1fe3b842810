package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// finish turns the outcome of a pass into conditions, writes status if it differs, and says when to come back.
func (r *UserReconciler) finish(ctx context.Context, s *scope, err error) (ctrl.Result, error) {
	out := classify(err)
	if ctx.Err() != nil && !s.changedAnything() {
		return ctrl.Result{}, ctx.Err() // shutting down: what a cancelled call seems to say is not true
	}
	if againstConnection(err) {
		if s.conn.doubt(s.client, s.now) {
			r.probes.add(s.conn.key)
		} else if mfaclient.KindOf(err) == mfaclient.KindUnauthenticated {
			out = classify(&mfaclient.Error{Kind: mfaclient.KindDenied}) // the token is good, but not for this call
		}
	}
	if s.deleting() && out.reason == v1alpha1.ReasonRequestRefused {
		// The manifest can't be corrected any more, and a gateway may have refused what the service takes.
		out.after, out.message = deniedRetry, messageRemovalRefused
	}
	if (s.takenUp || s.user.Status.State != s.base.Status.State) && !s.observed && !s.released {
		r.deviceReads.owe(s.user.UID)
	}
	if passing(err) && (!s.open || heldBack(s.base)) {
		out.class = classQuietly(out.class) // the user is as it was; the connection tells of the trouble
	}
	switch {
	case s.released:
		r.announce(s)
		return ctrl.Result{}, nil
	case out.class == classQuiet:
		// What an earlier step has found is written all the same.
		if !equality.Semantic.DeepEqual(s.base.Status, s.user.Status) {
			s.markFacts()
		}
		if err := r.writeStatus(ctx, s); err != nil {
			return unwritten(err)
		}
		r.announce(s)
		if out.after == 0 && passing(err) {
			return ctrl.Result{}, err // so that the queue's growing delay applies
		}
		return r.comeBack(s, out), nil
	}
	s.markFacts()
	s.conclude(out)
	if err := r.writeStatus(ctx, s); err != nil {
		return unwritten(err)
	}
	r.announce(s)
	if out.class == classRetry {
		return ctrl.Result{}, err
	}
	return r.comeBack(s, out), nil
}

const messageRemovalRefused = "the service refuses to have the account read or removed; that is tried again every ten minutes" + orphanHint

// unwritten is how a pass ends whose status could not be written. A lost lock is no fault: the newer copy is on its way.
func unwritten(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: minWait}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

// comeBack is when the next pass is due without being woken.
func (r *UserReconciler) comeBack(s *scope, out outcome) ctrl.Result {
	if out.after > 0 {
		s.wakeAt(s.now.Add(out.after))
	}
	r.planCode(s)
	return ctrl.Result{RequeueAfter: s.wakeIn}
}

// classQuietly keeps the status but not the delay: errors stay slower than successes.
func classQuietly(c class) class {
	if c == classRetry || c == classWait {
		return classQuiet
	}
	return c
}

// changedAnything tells whether the pass has done something that status must show even while the manager stops.
func (s *scope) changedAnything() bool { return s.stored || len(s.done) > 0 }

// conclude sets the conditions that sum up.
func (s *scope) conclude(out outcome) {
	status := &s.user.Status
	status.ObservedGeneration = s.user.Generation
	if s.requested != "" && (out.class == classDone || out.class == classStalled) {
		status.HandledReconcileRequest = s.requested
	}
	switch out.class {
	case classSuspended:
		ready := readyOf(status.Conditions).Status
		if ready == "" || status.AccountID == "" {
			ready = metav1.ConditionFalse
		}
		s.sumUp(ready, out, "")
	case classDone:
		if len(status.PendingChanges) > 0 {
			out.reason, out.message = v1alpha1.ReasonChangesPending, "the account differs and managementPolicy is Observe; status.pendingChanges names the fields"
		}
		s.sumUp(metav1.ConditionTrue, out, "")
	case classStalled:
		s.sumUp(metav1.ConditionFalse, out, v1alpha1.ConditionStalled)
	default:
		if s.deleting() && out.reason == v1alpha1.ReasonProgressing {
			out.reason = v1alpha1.ReasonDeleting
		}
		s.sumUp(metav1.ConditionFalse, out, v1alpha1.ConditionReconciling)
	}
}

// sumUp sets Ready, and of Reconciling and Stalled the one that is true.
func (s *scope) sumUp(ready metav1.ConditionStatus, out outcome, also string) {
	s.mark(v1alpha1.ConditionReady, ready, out.reason, out.message)
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if kind == also {
			s.mark(kind, metav1.ConditionTrue, out.reason, out.message)
		} else {
			meta.RemoveStatusCondition(&s.user.Status.Conditions, kind)
		}
	}
}

// writeStatus writes status once, and only when it differs or when the copy that it was held against may be out of date. The
// lock keeps a stale pass from overwriting a newer one, and tells it that it was one.
func (r *UserReconciler) writeStatus(ctx context.Context, s *scope) error {
	for _, was := range s.base.Status.Conditions {
		// A step may have said that all is well before another found that it is not: that is no transition.
		keepTransition(s.base.Status.Conditions, s.user.Status.Conditions, was.Type)
	}
	if equality.Semantic.DeepEqual(s.base.Status, s.user.Status) && r.own.shownBy(s.base) {
		return nil
	}
	ctx, cancel := unrepeatable(ctx)
	defer cancel()
	patched := s.base.DeepCopy()
	patched.Status = *s.user.Status.DeepCopy()
	return r.patchStatus(ctx, patched, client.MergeFromWithOptions(s.base, client.MergeFromWithOptimisticLock{}))
}

// announce records events: what the pass did, and a change of Ready; not that a user became Ready by what was just told.
func (r *UserReconciler) announce(s *scope) {
	for _, deed := range s.done {
		r.events.Eventf(s.user, nil, deed.kind, deed.reason, deed.action, "%s", deed.note)
	}
	before, after := readyOf(s.base.Status.Conditions), readyOf(s.user.Status.Conditions)
	if s.released || before.Status == after.Status && before.Reason == after.Reason {
		return
	}
	if after.Status == metav1.ConditionTrue && len(s.done) > 0 {
		return
	}
	kind := corev1.EventTypeNormal
	if meta.IsStatusConditionTrue(s.user.Status.Conditions, v1alpha1.ConditionStalled) {
		kind = corev1.EventTypeWarning
	}
	r.events.Eventf(s.user, nil, kind, after.Reason, "Reconcile", "%s", after.Message)
}
