package main

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// readiness counts the users that are Ready, as anybody who watches the API server sees it.
type readiness struct {
	mu    sync.Mutex
	ready map[types.NamespacedName]struct{}
}

// watchReadiness counts until the context ends. It returns once the watch stands.
func (s *stage) watchReadiness(ctx context.Context) (*readiness, error) {
	users, err := cache.New(s.config, cache.Options{
		Scheme: newScheme(), DefaultNamespaces: map[string]cache.Config{usersNamespace: {}},
	})
	if err != nil {
		return nil, err
	}
	informer, err := users.GetInformer(ctx, &v1alpha1.MFAUser{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, err
	}
	r := &readiness{ready: map[types.NamespacedName]struct{}{}}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: r.see, UpdateFunc: func(_, now any) { r.see(now) },
	})
	if err != nil {
		return nil, err
	}
	go func() { _ = users.Start(ctx) }() // it fails only when started twice
	users.WaitForCacheSync(ctx)
	return r, ctx.Err()
}

func (r *readiness) see(object any) {
	user, ok := object.(*v1alpha1.MFAUser)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := types.NamespacedName{Namespace: user.Namespace, Name: user.Name}
	if meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionReady) {
		r.ready[key] = struct{}{}
	} else {
		delete(r.ready, key)
	}
}

func (r *readiness) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ready)
}
