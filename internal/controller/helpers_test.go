package controller

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// between stands between the operator and the simulator: what a gateway or a service with habits of its own would do.
type between func(w http.ResponseWriter, r *http.Request, sim http.Handler)

func (w *testWorld) serve(out http.ResponseWriter, r *http.Request) {
	if front := w.front.Load(); front != nil {
		(*front)(out, r, w.sim)
		return
	}
	w.sim.ServeHTTP(out, r)
}

func (w *testWorld) putBetween(front between) { w.front.Store(&front) }

// patches records the bodies of all updates from now on.
func (w *testWorld) patches() func() []map[string]any {
	var mu sync.Mutex
	var bodies []map[string]any
	w.putBetween(func(out http.ResponseWriter, r *http.Request, sim http.Handler) {
		data, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(data))
		if r.Method == http.MethodPatch {
			body := map[string]any{}
			_ = json.Unmarshal(data, &body)
			mu.Lock()
			bodies = append(bodies, body)
			mu.Unlock()
		}
		sim.ServeHTTP(out, r)
	})
	return func() []map[string]any {
		mu.Lock()
		defer mu.Unlock()
		return bodies
	}
}

// remoteWrites counts the calls since the last ResetCalls that change something.
func (w *testWorld) remoteWrites() int {
	n := 0
	for op, calls := range w.sim.Calls() {
		if !strings.HasPrefix(op, "List") && op != "GetAccount" {
			n += calls
		}
	}
	return n
}

// remote returns the account with a login; the test fails when there is none.
func (w *testWorld) remote(login string) mfasim.Account {
	w.t.Helper()
	account, ok := w.sim.Account(login)
	w.g.Expect(ok).To(BeTrue(), "account %s", login)
	return account
}

// console edits an account as an administrator would, and lets the operator list.
func (w *testWorld) console(login string, edit func(*mfasim.Account)) {
	w.t.Helper()
	w.g.Expect(w.sim.UpdateAccount(login, edit)).To(Succeed())
	w.tick(11 * time.Minute)
}

// settled is settle for a user of any namespace.
func (w *testWorld) settled(user *v1alpha1.MFAUser) *v1alpha1.MFAUser {
	w.t.Helper()
	key := client.ObjectKeyFromObject(user)
	for range 10 {
		var before, after v1alpha1.MFAUser
		if err := w.client.Get(w.ctx, key, &before); client.IgnoreNotFound(err) != nil || err != nil {
			return &before
		}
		_, err := w.users.Reconcile(w.ctx, before.DeepCopy())
		w.g.Expect(client.IgnoreNotFound(w.client.Get(w.ctx, key, &after))).To(Succeed())
		if err == nil && equality.Semantic.DeepEqual(before, after) {
			return &after
		}
	}
	w.t.Fatalf("%s does not settle", key)
	return nil
}

// reconcileNamed runs one pass over any connection of the world.
func (w *testWorld) reconcileNamed(name string) {
	w.t.Helper()
	_, err := w.connections.Reconcile(w.ctx, ctrl.Request{NamespacedName: types.NamespacedName{Namespace: w.mfaNamespace, Name: name}})
	w.g.Expect(err).NotTo(HaveOccurred())
}

// happened returns the reasons of the events since the last call, in order.
func (w *testWorld) happened() []string {
	var reasons []string
	for {
		select {
		case text := <-w.recorder.Events:
			reasons = append(reasons, strings.Fields(text)[1])
		default:
			return reasons
		}
	}
}

// oneLiveCode expects that the service has exactly one account with the login, and that its live code is in the Secret.
func (w *testWorld) oneLiveCode(name string) {
	w.t.Helper()
	login := name + "@example.com"
	accounts := 0
	for _, account := range w.sim.Accounts() {
		if strings.EqualFold(account.Login, login) {
			accounts++
		}
	}
	w.g.Expect(accounts).To(Equal(1), "accounts with the login")
	secret := w.secret(name)
	w.g.Expect(secret).NotTo(BeNil(), "the code's Secret")
	live, ok := w.sim.LiveCode(login)
	w.g.Expect(ok).To(BeTrue(), "a live code")
	w.g.Expect(string(secret.Data[v1alpha1.KeyCode])).To(Equal(live), "the Secret holds the live code")
}

// removals are the recorded ones as "<action> <login>", with "released" behind it where the user went with it.
func (w *testWorld) removals() []string {
	w.t.Helper()
	var out []string
	for _, removal := range w.getConnection().Status.Removals {
		text := string(removal.Action) + " " + removal.Login
		if removal.Released {
			text += " released"
		}
		out = append(out, text)
	}
	return out
}

func is(kind string) func(*v1alpha1.MFAUser) string {
	return func(user *v1alpha1.MFAUser) string {
		c := condition(user.Status.Conditions, kind)
		return string(c.Status) + " " + c.Reason
	}
}

// refusing lets no status and no Secret through, as a namespace does at its worst moment.
func refusing(c client.WithWatch) client.Client {
	return interceptor.NewClient(c, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			if _, ok := o.(*v1alpha1.MFAUser); ok {
				return errRefused
			}
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
		Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
			return errRefused
		},
	})
}

// refusingSecrets lets no Secret through, as an admission rule does.
func refusingSecrets(c client.WithWatch) client.Client {
	return interceptor.NewClient(c, interceptor.Funcs{
		Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
			return errRefused
		},
	})
}

// showing is a client that reads one connection as an old copy has it, as a cache does that is behind.
func showing(c client.WithWatch, old *v1alpha1.MFAConnection) client.WithWatch {
	return interceptor.NewClient(c, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if conn, ok := o.(*v1alpha1.MFAConnection); ok && key == client.ObjectKeyFromObject(old) {
				old.DeepCopyInto(conn)
				return nil
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
}
