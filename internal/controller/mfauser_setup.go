package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

const (
	// retryMin and retryMax bound the delay after failures; it doubles with each.
	retryMin = time.Second
	retryMax = 5 * time.Minute
)

func retries() workqueue.TypedRateLimiter[ctrl.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](retryMin, retryMax)
}

// setup says what wakes an MFAUser: its spec, the annotations by hand, its deletion; its code Secret going; a rival
// going; its connection's spec; its namespace's labels, or a rival's; and, through the wake queue, listings and healed connections.
func (r *UserReconciler) setup(mgr ctrl.Manager, concurrent int) error {
	users := ctrl.NewControllerManagedBy(mgr).
		Named("mfauser").
		For(&v1alpha1.MFAUser{}, builder.WithPredicates(askedFor(userAnnotations))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &v1alpha1.MFAUser{}, handler.OnlyControllerOwner()),
			builder.WithPredicates(onlyDeletes())).
		Watches(&v1alpha1.MFAUser{}, handler.Funcs{DeleteFunc: r.onUserDeleted}).
		Watches(&v1alpha1.MFAConnection{}, handler.EnqueueRequestsFromMapFunc(r.usersOfConnection), builder.WithPredicates(askedFor([]string{v1alpha1.AnnotationOrphan}))).
		WatchesRawSource(source.Func(r.users.Start)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent, RateLimiter: retries()})
	if r.watchesAll() { // else there is no right to see namespaces
		users.WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.usersOfNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{}))
	}
	return users.Complete(reconcile.AsReconciler[*v1alpha1.MFAUser](mgr.GetClient(), r))
}

var userAnnotations = []string{v1alpha1.AnnotationReconcileRequestedAt, v1alpha1.AnnotationIssueCode, v1alpha1.AnnotationOrphan}

var connectionAnnotations = []string{v1alpha1.AnnotationReconcileRequestedAt, v1alpha1.AnnotationApproveRemovals, v1alpha1.AnnotationOrphan}

// askedFor lets through what a person asks for: a new spec, a deletion, or one of the annotations. No other change of
// metadata or status wakes the operator.
func askedFor(annotations []string) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero() {
			return true
		}
		if user, ok := e.ObjectNew.(*v1alpha1.MFAUser); ok && heldBack(user) && user.Annotations[v1alpha1.AnnotationIssueCode] != e.ObjectOld.GetAnnotations()[v1alpha1.AnnotationIssueCode] {
			return true // what the guard holds is asked for no more
		}
		for _, name := range annotations {
			now := e.ObjectNew.GetAnnotations()[name]
			if now != "" && now != e.ObjectOld.GetAnnotations()[name] {
				return true
			}
		}
		return false
	}}
}

// onlyDeletes lets deletions through: creations and changes of a code Secret are our own writes.
func onlyDeletes() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func (r *UserReconciler) onUserDeleted(ctx context.Context, e event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[ctrl.Request]) {
	if user, ok := e.Object.(*v1alpha1.MFAUser); ok {
		r.own.forget(user.UID)
		r.groupChecks.forget(user.UID)
		r.deviceReads.forget(user.UID)
		r.gathering.forget(user.UID)
		r.leftCodes.leave(user, r.now()) // of one that was made to go by force
		if key := user.ConnectionKey(); r.connections.has(key) {
			r.connections.get(key).extra.forget(user.UID)
		}
		r.wakeRivals(ctx, user)
	}
}

func (r *UserReconciler) usersOfConnection(ctx context.Context, object client.Object) []ctrl.Request {
	return requestsFor(r.list(ctx, client.MatchingFields{indexConnection: client.ObjectKeyFromObject(object).String()}))
}

// usersOfNamespace are woken when it is admitted to a connection or shut out, and with them who wants one of their logins:
// whose it is may depend on it.
func (r *UserReconciler) usersOfNamespace(ctx context.Context, object client.Object) []ctrl.Request {
	users := r.list(ctx, client.InNamespace(object.GetName()))
	for n := range users {
		r.wakeRivals(ctx, &users[n])
	}
	return requestsFor(users)
}

func (r *UserReconciler) list(ctx context.Context, which client.ListOption) []v1alpha1.MFAUser {
	var list v1alpha1.MFAUserList
	if err := r.client.List(ctx, &list, which, client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache is stopping
	}
	return list.Items
}

func requestsFor(users []v1alpha1.MFAUser) []ctrl.Request {
	requests := make([]ctrl.Request, 0, len(users))
	for n := range users {
		requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&users[n])})
	}
	return requests
}

// setup says what wakes an MFAConnection: its spec, the annotations by hand, its token Secret, doubt about the token, and
// users that are held back or that it must or need no longer be kept for.
func (r *ConnectionReconciler) setup(mgr ctrl.Manager, tokens cache.Cache, concurrent int) error {
	tokenSecrets := source.Kind(tokens, secretMetadata(), handler.TypedEnqueueRequestsFromMapFunc(r.connectionsOfToken))
	return ctrl.NewControllerManagedBy(mgr).
		Named("mfaconnection").
		For(&v1alpha1.MFAConnection{}, builder.WithPredicates(askedFor(connectionAnnotations))).
		Watches(&v1alpha1.MFAUser{}, handler.EnqueueRequestsFromMapFunc(r.connectionOfUser), builder.WithPredicates(r.usersThatMatter())).
		WatchesRawSource(tokenSecrets).
		WatchesRawSource(source.Func(r.probes.Start)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent, RateLimiter: retries()}).
		Complete(r)
}

func (r *ConnectionReconciler) connectionOfUser(_ context.Context, object client.Object) []ctrl.Request {
	key := object.(*v1alpha1.MFAUser).ConnectionKey()
	if !r.watches(key.Namespace) {
		return nil
	}
	return []ctrl.Request{{NamespacedName: key}}
}

// usersThatMatter leaves out the users that the manager finds when it starts: every connection has a pass then.
func (r *ConnectionReconciler) usersThatMatter() predicate.Predicate {
	nobody := &v1alpha1.MFAUser{}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			user := e.Object.(*v1alpha1.MFAUser)
			return !e.IsInInitialList && r.newsForConnection(user.ConnectionKey(), nobody, user)
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			user := e.ObjectNew.(*v1alpha1.MFAUser)
			return r.newsForConnection(user.ConnectionKey(), e.ObjectOld.(*v1alpha1.MFAUser), user)
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			user := e.Object.(*v1alpha1.MFAUser)
			conn := r.connections.known(user.ConnectionKey())
			return heldBack(user) || conn != nil && conn.isLeaving() // its last state may or may not have had the finalizer
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func (r *ConnectionReconciler) connectionsOfToken(ctx context.Context, secret *metav1.PartialObjectMetadata) []ctrl.Request {
	var list v1alpha1.MFAConnectionList
	if err := r.client.List(ctx, &list, client.InNamespace(secret.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache is stopping
	}
	var requests []ctrl.Request
	for n := range list.Items {
		if list.Items[n].Spec.TokenSecretRef.Name == secret.Name {
			requests = append(requests, ctrl.Request{NamespacedName: types.NamespacedName{Namespace: secret.Namespace, Name: list.Items[n].Name}})
		}
	}
	return requests
}
