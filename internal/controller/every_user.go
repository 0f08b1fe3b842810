package controller

import (
	"context"
	"iter"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// everyUser goes through all MFAUsers. They belong to the cache: callers must not change them.
type everyUser = iter.Seq[*v1alpha1.MFAUser]

// usersOfCache goes through the cache itself. A list would copy the head of every user for each look, ten megabytes for ten
// thousand users, and each listing and each scrape of the metrics looks at all of them.
func usersOfCache(c cache.Cache) (everyUser, error) {
	// Nothing runs yet, so there is nothing to wait for.
	informer, err := c.GetInformer(context.Background(), &v1alpha1.MFAUser{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, err
	}
	holder, ok := informer.(interface{ GetStore() toolscache.Store })
	if !ok {
		return usersOfClient(c), nil // a cache of listed namespaces has a store for each and shows none
	}
	return func(yield func(*v1alpha1.MFAUser) bool) {
		for _, object := range holder.GetStore().List() {
			if user, ok := object.(*v1alpha1.MFAUser); ok && !yield(user) {
				return
			}
		}
	}, nil
}

// usersThrough goes through the MFAUsers of one connection.
func (w *world) usersThrough(connection types.NamespacedName) everyUser {
	return func(yield func(*v1alpha1.MFAUser) bool) {
		for user := range w.everyUser {
			if user.ConnectionKey() == connection && !yield(user) {
				return
			}
		}
	}
}

// usersOfClient asks a client by a list. A cache does not fail at it once it has been filled, which it has been before
// anybody looks.
func usersOfClient(c client.Reader) everyUser {
	return func(yield func(*v1alpha1.MFAUser) bool) {
		var list v1alpha1.MFAUserList
		if err := c.List(context.Background(), &list, client.UnsafeDisableDeepCopy); err != nil {
			logf.Log.Error(err, "list the MFAUsers")
		}
		for n := range list.Items {
			if !yield(&list.Items[n]) {
				return
			}
		}
	}
}
