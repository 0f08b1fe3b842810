package controller

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/rules"
)

// namespaceAllowed tells whether a connection may be used from a namespace.
func (w *world) namespaceAllowed(ctx context.Context, conn *v1alpha1.MFAConnection, namespace string) (bool, error) {
	return rules.NamespaceAllowed(conn, namespace, func(selector labels.Selector) (labels.Set, error) {
		return w.namespaceLabels(ctx, selector, namespace)
	})
}

// namespaceLabels are the labels of a namespace as far as a selector asks for them; nil when they can't be known. The one
// that holds the name is on every namespace, by the API server's own hand: a selector over names needs no read.
func (w *world) namespaceLabels(ctx context.Context, selector labels.Selector, namespace string) (labels.Set, error) {
	if w.watchesAll() {
		object := metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
		if err := w.client.Get(ctx, client.ObjectKey{Name: namespace}, &object); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		return object.Labels, nil
	}
	if !selectsByName(selector) {
		return nil, nil
	}
	return labels.Set{corev1.LabelMetadataName: namespace}, nil
}

// selectsByName tells whether a selector looks at nothing but the names of namespaces.
func selectsByName(selector labels.Selector) bool {
	requirements, selectable := selector.Requirements()
	return selectable && !slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return r.Key() != corev1.LabelMetadataName })
}

// selectorFault is what is wrong with the selector of a connection, if it has one. The schema lets through what labels don't.
func selectorFault(conn *v1alpha1.MFAConnection) error {
	if conn.Spec.AllowedNamespaces.From != v1alpha1.FromSelector {
		return nil
	}
	_, err := metav1.LabelSelectorAsSelector(conn.Spec.AllowedNamespaces.Selector)
	return err
}

// selectorTrouble tells why a connection's selector can admit nobody; an empty reason when nothing is wrong with it.
func (w *world) selectorTrouble(conn *v1alpha1.MFAConnection) (reason, message string) {
	if fault := selectorFault(conn); fault != nil {
		return v1alpha1.ReasonInvalidSpec, "spec.allowedNamespaces.selector admits nobody, for it can't be read: " + fault.Error()
	}
	if w.selectorUnusable(conn) {
		return v1alpha1.ReasonSelectorUnusable, "spec." + messageSelectorUnusable
	}
	return "", ""
}

// selectorUnusable tells whether a connection asks for labels that this operator may not read. A selector that can't be
// read itself is another fault.
func (w *world) selectorUnusable(conn *v1alpha1.MFAConnection) bool {
	allowed := conn.Spec.AllowedNamespaces
	if w.watchesAll() || allowed.From != v1alpha1.FromSelector {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	return err == nil && !selectsByName(selector)
}
