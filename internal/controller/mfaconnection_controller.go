package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// ConnectionReconciler keeps MFAConnections: it reads the token, lists the accounts on the interval, and decides
// whether the connection's users may work.
type ConnectionReconciler struct {
	*world
	events events.EventRecorder
}

// connectionScope is one pass over one MFAConnection.
type connectionScope struct {
	object *v1alpha1.MFAConnection // status is changed in place
	base   *v1alpha1.MFAConnection // as it was read
	conn   *connection
	now    time.Time
	// requested is true when a new reconcile-requested-at asks for a fresh listing.
	requested bool
	// listed is true when a listing was asked for in this pass.
	listed bool
	// token is the metadata of the token Secret, once it has been read and found labelled as one.
	token *metav1.PartialObjectMetadata
	// tokenAgain is when to look for a token Secret that is not there; zero when there is one.
	tokenAgain time.Time
	use        usage
	// approved is true when this pass has found a new approval of held removals.
	approved bool
	// notices are told as events once the status is written.
	notices []notice
}

// notice is something about a connection that an event tells of.
type notice struct{ kind, reason, text string }

func (s *connectionScope) tell(kind, reason, text string) {
	s.notices = append(s.notices, notice{kind, reason, text})
}

// Reconcile is one pass: configure the client from spec and token, list if it is time, say how it went.
func (r *ConnectionReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var object v1alpha1.MFAConnection
	if err := r.client.Get(ctx, req.NamespacedName, &object); err != nil {
		if apierrors.IsNotFound(err) {
			r.connections.drop(req.NamespacedName)
			return ctrl.Result{}, r.releaseTokens(ctx, req.Namespace) // what one leaves that was made to go by force
		}
		return ctrl.Result{}, err
	}
	requested := object.Annotations[v1alpha1.AnnotationReconcileRequestedAt]
	s := &connectionScope{
		object: &object, base: object.DeepCopy(), conn: r.connections.get(req.NamespacedName), now: r.now(),
		requested: requested != "" && requested != object.Status.HandledReconcileRequest,
	}
	if gone, err := r.tryToGo(ctx, s); gone || err != nil {
		return again(err)
	}
	err := r.configure(ctx, s)
	if err == nil {
		err = r.list(ctx, s)
	}
	if s.requested && s.listed {
		s.object.Status.HandledReconcileRequest = requested
	}
	if gone, err := r.tryToGo(ctx, s); gone || err != nil {
		return again(err)
	}
	kept := r.keep(ctx, s)
	result, err := r.finish(ctx, s, err)
	if err == nil && kept != nil {
		return again(kept)
	}
	return result, err
}

// finish turns the outcome of a pass into the verdict for the users, the conditions, and the time of the next pass.
func (r *ConnectionReconciler) finish(ctx context.Context, s *connectionScope, err error) (ctrl.Result, error) {
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err() // shutting down: a cancelled listing says nothing about the service
	}
	out := classifyConnection(err)
	// Whatever is wrong with the selector, it can still remove what it made: only the status says that it is not ready.
	if reason, message := r.selectorTrouble(s.object); err == nil && reason != "" {
		out.stalled, out.reason, out.message = true, reason, message
	}
	if out.reason == v1alpha1.ReasonInternalError {
		return ctrl.Result{}, err // of the cluster, not of the connection: it keeps its conditions, and is tried again
	}
	// Before the status is written: should that fail, the verdict would be no news in the next pass.
	if s.conn.judge(out.readiness) || s.base.Generation != s.base.Status.ObservedGeneration {
		r.wakeUsersOf(s.conn.key)
	}
	r.describe(s, out)

	if !equality.Semantic.DeepEqual(s.base.Status, s.object.Status) || !r.own.shownBy(s.base) {
		// With the lock: a stale copy must not overwrite what another pass has found since.
		patch := client.MergeFromWithOptions(s.base, client.MergeFromWithOptimisticLock{})
		if err := r.patchStatus(ctx, s.object, patch); err != nil {
			return again(err)
		}
		r.announce(s)
	}
	r.wakeHeld(s)
	return ctrl.Result{RequeueAfter: r.nextPass(s)}, nil
}

// again is how a pass ends whose write has failed. A lost lock is no fault: the newer copy is on its way.
func again(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: minWait}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

// messageHolding has no number: it is told when the first is held, and how many there are is seen later.
const messageHolding = "more accounts are to lose their access than the changeGuard allows within its window, so their removals are held; the condition ChangesHeld says how many, and what to do"

// announce records what the pass has to tell, and an event when readiness has changed or removals begin to be held.
func (r *ConnectionReconciler) announce(s *connectionScope) {
	for _, n := range s.notices {
		r.events.Eventf(s.object, nil, n.kind, n.reason, "Approve", "%s", n.text)
	}
	held := meta.FindStatusCondition(s.object.Status.Conditions, v1alpha1.ConditionChangesHeld)
	if held != nil && meta.FindStatusCondition(s.base.Status.Conditions, v1alpha1.ConditionChangesHeld) == nil {
		r.events.Eventf(s.object, nil, corev1.EventTypeWarning, held.Reason, "Hold", "%s", messageHolding)
	}
	before, after := readyOf(s.base.Status.Conditions), readyOf(s.object.Status.Conditions)
	if before.Status == after.Status && before.Reason == after.Reason {
		return
	}
	kind := corev1.EventTypeNormal
	if after.Status != "True" {
		kind = corev1.EventTypeWarning
	}
	r.events.Eventf(s.object, nil, kind, after.Reason, "Check", "%s", after.Message)
}

// nextPass is when there is something to do again without being woken.
func (r *ConnectionReconciler) nextPass(s *connectionScope) time.Duration {
	s.conn.mu.Lock()
	next := s.conn.probes.next
	counts := s.conn.probes.countsDue
	s.conn.mu.Unlock()
	wait := time.Hour // conditions that depend on the date are looked at hourly at least
	for _, at := range []time.Time{next, counts, s.tokenAgain, tokenDeadline(s.object, s.now), staleDeadline(s), s.guardDeadline()} {
		if !at.IsZero() {
			wait = min(wait, max(at.Sub(s.now), time.Millisecond))
		}
	}
	return wait
}

// interval is how old the picture may get.
func interval(object *v1alpha1.MFAConnection) time.Duration {
	if d := object.Spec.ResyncInterval.Duration; d > 0 {
		return d
	}
	return 10 * time.Minute
}

// buildClient makes a client for the given settings.
func (w *world) buildClient(conn *connection, settings clientSettings) (*mfaclient.Client, error) {
	return mfaclient.New(mfaclient.Config{
		BaseURL: settings.url, CABundle: []byte(settings.caBundle), Token: settings.token, Gate: conn.gate,
		Routes: w.opts.Routes, Clock: w.clock, UserAgent: w.opts.UserAgent,
		Observe: w.metrics.callsOf(conn.key), MayCall: w.opts.MayCall,
	})
}
