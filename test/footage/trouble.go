package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// refuse makes users that can't be made: a foreign login, logins that are taken, and one who waits. Of another the service
// says that it is taken, just once: somebody was faster, and went.
func (t *story) refuse(ctx context.Context) error {
	t.sim.SetFault(mfasim.Fault{
		Operation: "CreateAccount", AccountLogin: loginOf("contested"), Kind: mfasim.FaultStatus, Status: http.StatusConflict, Count: 1,
	})
	objects := []client.Object{
		user("stranger", func(u *v1alpha1.MFAUser) { u.Spec.Login = "stranger@example.org" }),
		user("contested"),
		user("later", func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true }),
	}
	for n := range 3 {
		name := fmt.Sprintf("taken-%d", n)
		t.sim.Seed(mfasim.Account{Login: loginOf(name), Status: mfasim.StatusActivated})
		objects = append(objects, user(name))
	}
	return t.create(ctx, objects...)
}

func (t *story) block(ctx context.Context) error {
	for n := range 3 {
		if err := t.edit(ctx, employee(n), func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) }); err != nil {
			return err
		}
	}
	for range 3 {
		if err := t.sim.MistypePIN(loginOf(employee(4))); err != nil {
			return err
		}
	}
	// Somebody deletes an account in the console just as its manifest changes.
	t.sim.DeleteAccount(loginOf(employee(5)))
	return t.edit(ctx, employee(5), func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Ann") })
}

func (t *story) edit(ctx context.Context, name string, change func(*v1alpha1.MFAUser)) error {
	var u v1alpha1.MFAUser
	if err := t.admin.Get(ctx, client.ObjectKey{Namespace: teamNamespace, Name: name}, &u); err != nil {
		return err
	}
	base := u.DeepCopy()
	change(&u)
	return t.admin.Patch(ctx, &u, client.MergeFrom(base))
}

func (t *story) loseSecret(ctx context.Context) error {
	name := t.waiting[0]
	t.waiting = t.waiting[1:]
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: teamNamespace, Name: name + "-mfa"}}
	return client.IgnoreNotFound(t.admin.Delete(ctx, secret))
}

// falter lets one call in four fail, and all be slow.
func (t *story) falter(context.Context) error {
	t.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultLatency, Latency: 200 * time.Millisecond})
	t.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: http.StatusBadGateway, Probability: 0.25})
	return nil
}

func (t *story) breakDown(context.Context) error {
	t.sim.ClearFaults()
	t.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: http.StatusInternalServerError})
	return nil
}

// mend ends the trouble and asks for a listing, which ends the pause after a failure.
func (t *story) mend(ctx context.Context) error {
	t.sim.ClearFaults()
	return t.annotate(ctx, v1alpha1.AnnotationReconcileRequestedAt, fmt.Sprint(t.joined))
}

// slowDown has the service ask for a pause once: each in a row is longer than the one before, and would outlast the story.
func (t *story) slowDown(context.Context) error {
	t.sim.SetFault(mfasim.Fault{Operation: "CreateAccount", Kind: mfasim.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "2", Count: 1})
	return nil
}

func (t *story) renewToken(ctx context.Context) error {
	token := t.sim.IssueToken(mfasim.DefaultAdminLogin, 90*24*time.Hour)
	patch := fmt.Sprintf(`{"stringData":{%q:%q}}`, v1alpha1.DefaultTokenKey, token)
	return t.admin.Patch(ctx, t.tokenSecret(""), client.RawPatch(types.MergePatchType, []byte(patch)))
}

// leavers are more than the changeGuard lets go.
const leavers = 15

func (t *story) prune(ctx context.Context) error {
	for n := range leavers {
		if err := t.admin.Delete(ctx, user(employee(staff-1-n))); err != nil {
			return err
		}
	}
	return nil
}

func (t *story) approve(ctx context.Context) error {
	return t.annotate(ctx, v1alpha1.AnnotationApproveRemovals, fmt.Sprintf("%d/meant", leavers))
}

func (t *story) annotate(ctx context.Context, key, value string) error {
	conn := &v1alpha1.MFAConnection{ObjectMeta: metav1.ObjectMeta{Namespace: mfaNamespace, Name: connection}}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, key, value)
	return t.admin.Patch(ctx, conn, client.RawPatch(types.MergePatchType, []byte(patch)))
}

func (t *story) breakListings(context.Context) error {
	t.sim.SetFault(mfasim.Fault{Operation: "ListAccounts", Kind: mfasim.FaultStatus, Status: http.StatusServiceUnavailable})
	return nil
}

// changeLeader ends the leader in good order; the other replica goes on, and a third stands by.
func (t *story) changeLeader(context.Context) error {
	if err := t.replicas[0].Terminate(); err != nil {
		return err
	}
	_, err := t.startReplica()
	return err
}
