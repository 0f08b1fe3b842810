package controller

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// dieAfter lets a number of writes happen, in the cluster and in the service, and none after them: what a kill leaves.
// What it returns tells whether it came to that.
func (w *testWorld) dieAfter(writes int) (died func() bool) {
	var count atomic.Int64
	dead := func() bool { return count.Load() >= int64(writes) }
	try := func(write func() error) error {
		if dead() {
			return errors.New("killed")
		}
		err := write()
		if err == nil {
			count.Add(1)
		}
		return err
	}
	w.users.client = interceptor.NewClient(w.client, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return try(func() error { return c.Patch(ctx, o, p, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return try(func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			options := client.ApplyOptions{}
			for _, opt := range opts {
				opt.ApplyToApply(&options)
			}
			if len(options.DryRun) > 0 {
				return c.Apply(ctx, o, opts...)
			}
			return try(func() error { return c.Apply(ctx, o, opts...) })
		},
	})
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		if dead() {
			panic(http.ErrAbortHandler)
		}
		sim.ServeHTTP(out, r)
	})
	w.sim.OnCall(func(op string, phase mfasim.Phase) {
		if phase == mfasim.After && !strings.HasPrefix(op, "List") && op != "GetAccount" {
			count.Add(1)
		}
	})
	return dead
}

// killAfter runs a pass over a user that is killed after a number of writes, and starts the next operator. It returns false
// when the pass came to its end before.
func (w *testWorld) killAfter(writes int, name string) (died bool) {
	w.t.Helper()
	dead := w.dieAfter(writes)
	_, _ = w.pass(name) // whatever it came to is lost
	died = dead()
	w.front.Store(nil)
	w.sim.OnCall(nil)
	w.startOperator()
	w.reconcileConnection()
	return died
}
