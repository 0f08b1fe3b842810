package controller

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// keepToken puts the finalizer on the token Secret that this pass has read. Only on one that its owner has labelled as a
// token: whoever may create a connection must not be able to keep any Secret of the namespace from being deleted.
func (r *ConnectionReconciler) keepToken(ctx context.Context, s *connectionScope) error {
	if s.token == nil || s.token.DeletionTimestamp != nil || controllerutil.ContainsFinalizer(s.token, v1alpha1.FinalizerInUse) {
		return nil
	}
	return r.patchFinalizers(ctx, s.token, controllerutil.AddFinalizer)
}

// releaseTokens takes the finalizer off the Secrets of a namespace that no connection needs any more. The Secrets are
// listed, and not remembered: a token that was in use must not be kept for ever because somebody lost a note of it. It is
// called when a connection goes or changes or is no longer used, or a token Secret is deleted.
func (r *ConnectionReconciler) releaseTokens(ctx context.Context, namespace string) error {
	secrets := metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}}
	if err := r.live.List(ctx, &secrets, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list the metadata of Secrets: %w", err)
	}
	for n := range secrets.Items {
		secret := &secrets.Items[n]
		if !controllerutil.ContainsFinalizer(secret, v1alpha1.FinalizerInUse) {
			continue
		}
		needed, err := r.tokenNeeded(ctx, secret)
		if err != nil {
			return err
		}
		if needed {
			continue
		}
		if err := r.patchFinalizers(ctx, secret, controllerutil.RemoveFinalizer); err != nil {
			return err
		}
	}
	return nil
}

// tokenNeeded tells whether a connection of the namespace may still have to remove accounts with a token.
func (r *ConnectionReconciler) tokenNeeded(ctx context.Context, secret *metav1.PartialObjectMetadata) (bool, error) {
	var list v1alpha1.MFAConnectionList
	if err := r.client.List(ctx, &list, client.InNamespace(secret.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return false, err
	}
	for n := range list.Items {
		conn := &list.Items[n]
		if conn.Spec.TokenSecretRef.Name != secret.Name {
			continue
		}
		for user := range r.usersThrough(client.ObjectKeyFromObject(conn)) {
			if holdsOn(user) {
				return true, nil
			}
		}
	}
	return false, nil
}

// patchFinalizers writes the finalizers of a token Secret and nothing else of it. The lock keeps those of others.
func (r *ConnectionReconciler) patchFinalizers(ctx context.Context, secret *metav1.PartialObjectMetadata, change func(client.Object, string) bool) error {
	secret.TypeMeta = secretMetadata().TypeMeta
	base := secret.DeepCopy()
	change(secret, v1alpha1.FinalizerInUse)
	lock := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, secret, lock); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the token Secret's finalizer: %w", err)
	}
	return nil
}
