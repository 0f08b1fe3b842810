package manager

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/controller"
)

// A cache that may not read one of its namespaces never fills, and nothing at all works. Whoever owns a namespace may take
// the operator's rights there away, and must not stop the operator for the others: it begins without that namespace.

// refusedEvery is how often the manager asks whether it may read by now what it was refused.
const refusedEvery = 10 * time.Second

// sortNamespaces tells the namespaces that the manager may read from those that it may not. It is an error when there is
// none to read.
func sortNamespaces(ctx context.Context, reader client.Reader, namespaces []string) (readable, refused []string, err error) {
	for _, namespace := range namespaces {
		ok, err := mayRead(ctx, reader, namespace)
		if err != nil {
			return nil, nil, fmt.Errorf("see whether the namespace %s may be read: %w", namespace, err)
		}
		if ok {
			readable = append(readable, namespace)
		} else {
			refused = append(refused, namespace)
		}
	}
	if len(namespaces) > 0 && len(readable) == 0 {
		return nil, nil, fmt.Errorf("--watch-namespaces: none of them may be read: %s; give the operator's ServiceAccount its Role in each", strings.Join(refused, ", "))
	}
	return readable, refused, nil
}

// mayRead asks for what the cache will ask for.
func mayRead(ctx context.Context, reader client.Reader, namespace string) (bool, error) {
	secrets := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}}
	for _, list := range []client.ObjectList{&v1alpha1.MFAUserList{}, &v1alpha1.MFAConnectionList{}, secrets} {
		err := reader.List(ctx, list, client.InNamespace(namespace), client.Limit(1))
		if apierrors.IsForbidden(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// refusedNamespaces ends the manager when it may read one of them after all: a cache takes up no namespace while it runs,
// and the one that starts next begins with it.
type refusedNamespaces struct {
	reader client.Reader
	names  []string
	clock  clock.Clock
}

// Start is part of manager.Runnable.
func (r *refusedNamespaces) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.clock.After(refusedEvery):
			for _, name := range r.names {
				if ok, err := mayRead(ctx, r.reader, name); ok && err == nil {
					return fmt.Errorf("the namespace %s may be read now: this manager ends, and the next one watches it", name)
				}
			}
		}
	}
}

// NeedLeaderElection says no: who stands by has to know the namespace too.
func (r *refusedNamespaces) NeedLeaderElection() bool { return false }

// withoutRefused leaves out of the options the namespaces that may not be read, and returns what waits for them; nil when
// there is none.
func (o *Options) withoutRefused(cluster *rest.Config) (*refusedNamespaces, error) {
	if len(o.Controllers.Namespaces) == 0 {
		return nil, nil
	}
	reader, err := client.New(cluster, client.Options{Scheme: controller.NewScheme()})
	if err != nil {
		return nil, err
	}
	readable, refused, err := sortNamespaces(context.Background(), reader, slices.Compact(slices.Sorted(slices.Values(o.Controllers.Namespaces))))
	if err != nil || len(refused) == 0 {
		return nil, err
	}
	o.Controllers.Namespaces = readable
	ctrl.Log.WithName("setup").Error(nil, "Namespaces of --watch-namespaces may not be read and are left out; give the operator's ServiceAccount its Role there",
		"namespaces", refused)
	return &refusedNamespaces{reader: reader, names: refused, clock: o.Controllers.Clock}, nil
}
