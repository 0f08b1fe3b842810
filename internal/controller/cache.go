package controller

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// CacheOptions limits the cache of Secrets to the metadata of those that the operator made: a cluster full of foreign
// Secrets must not cost memory. What is cached is kept small, for there may be tens of thousands of users.
// With namespaces it watches those alone, and needs no right in any other.
func CacheOptions(namespaces []string) cache.Options {
	opts := secretCache(v1alpha1.LabelCode, namespaces)
	opts.ByObject[&v1alpha1.MFAUser{}] = cache.ByObject{Transform: slimUser}
	return opts
}

// ClientOptions makes reads of Secrets live: their data is in no cache.
func ClientOptions() client.Options {
	return client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}}
}

func secretCache(label string, namespaces []string) cache.Options {
	return cache.Options{
		DefaultNamespaces: onlyNamespaces(namespaces),
		DefaultTransform:  cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			secretMetadata(): {Label: labels.SelectorFromSet(labels.Set{label: v1alpha1.LabelTrue}), Transform: slimSecret},
		},
	}
}

// onlyNamespaces is nil, which means all, for no namespaces.
func onlyNamespaces(namespaces []string) map[string]cache.Config {
	if len(namespaces) == 0 {
		return nil
	}
	configs := make(map[string]cache.Config, len(namespaces))
	for _, namespace := range namespaces {
		configs[namespace] = cache.Config{}
	}
	return configs
}

func secretMetadata() *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
}

// slimSecret leaves what is read of a Secret's metadata: that it is there, and whose it is.
func slimSecret(object any) (any, error) {
	if secret, ok := object.(*metav1.PartialObjectMetadata); ok {
		secret.Labels, secret.Annotations, secret.ManagedFields = nil, nil, nil
		for n := range secret.OwnerReferences {
			owner := &secret.OwnerReferences[n]
			share(&owner.APIVersion, &owner.Kind)
		}
		share(&secret.APIVersion, &secret.Kind, &secret.Namespace)
	}
	return object, nil
}

// slimUser drops what is never read, and lets all users share the words that most of them have in common. Nothing that
// is dropped gets lost: the operator writes patches of what it changes itself.
func slimUser(object any) (any, error) {
	user, ok := object.(*v1alpha1.MFAUser)
	if !ok {
		return object, nil
	}
	user.ManagedFields = nil
	delete(user.Annotations, corev1.LastAppliedConfigAnnotation)
	share(&user.Namespace, &user.Spec.ConnectionRef.Namespace, &user.Spec.ConnectionRef.Name)
	for n := range user.Finalizers {
		share(&user.Finalizers[n])
	}
	for n := range user.Status.Conditions {
		condition := &user.Status.Conditions[n]
		share(&condition.Type, &condition.Reason, &condition.Message)
		condition.Status = metav1.ConditionStatus(unique.Make(string(condition.Status)).Value())
	}
	return user, nil
}

// share replaces strings by one copy of each that the whole process has.
func share(texts ...*string) {
	for _, text := range texts {
		*text = unique.Make(*text).Value()
	}
}
