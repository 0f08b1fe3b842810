package controller

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// An operator that is told the namespaces to watch has rights in those alone, and its cache knows no other: a read there
// fails for ever. What a manifest says of another namespace is therefore answered here, before anything is asked.

// errNotWatched says that a connection is in a namespace that this operator does not watch.
var errNotWatched = errors.New("the namespace of the MFAConnection is not watched")

const messageNotWatched = "this operator does not watch the namespace of spec.connectionRef; use an MFAConnection in a watched namespace, " +
	"or ask who runs the operator to add that one to --watch-namespaces, with its Role"

const messageSelectorUnusable = "allowedNamespaces.from is Selector, and this operator watches listed namespaces only (--watch-namespaces): it may not read their labels; " +
	"select by the label kubernetes.io/metadata.name alone, set from: All (which means the watched namespaces) or Same, or watch all namespaces"

// watchesAll tells whether the operator works in every namespace.
func (w *world) watchesAll() bool { return len(w.opts.Namespaces) == 0 }

func (w *world) watches(namespace string) bool {
	return w.watchesAll() || slices.Contains(w.opts.Namespaces, namespace)
}

// readConnection reads a connection from the cache.
func (w *world) readConnection(ctx context.Context, key types.NamespacedName, into *v1alpha1.MFAConnection) error {
	if !w.watches(key.Namespace) {
		return errNotWatched
	}
	return w.client.Get(ctx, key, into)
}
