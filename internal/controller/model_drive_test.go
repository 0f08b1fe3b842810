package controller

import (
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// maxPasses is how many passes all objects together may need for half an hour. A world that needs more does not settle.
const maxPasses = 200

// play lets the operator work for a while: each object has its next pass when its last one asked for it, when it failed
// after the queue's delay, and at once when it is woken.
func (m *modelWorld) play(d time.Duration) {
	m.t.Helper()
	end := m.now().Add(d)
	for passes := 0; len(m.wrong) == 0; passes++ {
		if passes > maxPasses {
			m.blame("does not settle: %d passes within %s", passes, d)
			return
		}
		next, at, any := m.nextDue()
		if !any || at.After(end) {
			m.clock.SetTime(end)
			return
		}
		if at.After(m.now()) {
			m.clock.SetTime(at)
		}
		m.turn(next)
	}
}

func (m *modelWorld) nextDue() (next types.NamespacedName, at time.Time, any bool) {
	for key, due := range m.due {
		if !any || due.Before(at) || due.Equal(at) && key.String() < next.String() {
			next, at, any = key, due, true
		}
	}
	return next, at, any
}

// turn runs one pass and plays the queue's part in what follows.
func (m *modelWorld) turn(key types.NamespacedName) {
	m.t.Helper()
	delete(m.due, key)
	m.calls, m.newborn = 0, ""
	result, err := m.onePassOver(key)
	request := ctrl.Request{NamespacedName: key}
	if m.dead {
		m.tell("the operator has been killed in its pass over %s, and is started again", key.Name)
		for _, lost := range m.unheard {
			lost()
		}
		m.unheard = nil
		m.restart()
		m.notePass(key)
		return
	}
	m.unheard = nil
	switch {
	case err != nil:
		m.due[key] = m.now().Add(m.limiter.When(request))
	case result.RequeueAfter > 0:
		m.limiter.Forget(request)
		m.due[key] = m.now().Add(result.RequeueAfter)
	default:
		m.limiter.Forget(request)
	}
	m.notePass(key)
	for woken := range m.woken {
		m.due[woken] = m.now()
	}
	clear(m.woken)
}

// onePassOver reads an object and runs its reconciler, as the controller would.
func (m *modelWorld) onePassOver(key types.NamespacedName) (ctrl.Result, error) {
	if key == m.connectionKey() {
		return m.connections.Reconcile(m.ctx, ctrl.Request{NamespacedName: key})
	}
	var user v1alpha1.MFAUser
	if err := m.client.Get(m.ctx, key, &user); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	m.date(&user)
	m.current = m.asked[key]
	defer func() { m.current = nil }()
	return m.users.Reconcile(m.ctx, &user)
}

// notePass looks at what a pass has left of a manifest: whether it is gone, and which account it holds.
func (m *modelWorld) notePass(key types.NamespacedName) {
	a := m.asked[key]
	if a == nil {
		return
	}
	var user v1alpha1.MFAUser
	err := m.client.Get(m.ctx, key, &user)
	m.g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	if err != nil {
		m.gone(a)
		return
	}
	m.noteHeld(a, user.Status.AccountID)
}

// gone plays what the cluster does once a manifest is gone, and judges what has become of its account.
func (m *modelWorld) gone(a *asked) {
	m.judgeRemoval(a)
	delete(m.asked, a.key)
	delete(m.due, a.key)
	user := &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{Namespace: a.key.Namespace, Name: a.key.Name, UID: a.uid}, Spec: a.spec}
	m.users.onUserDeleted(m.ctx, event.DeleteEvent{Object: user}, nil)
	var secret corev1.Secret
	key := types.NamespacedName{Namespace: a.key.Namespace, Name: user.CodeSecretName()}
	if m.client.Get(m.ctx, key, &secret) == nil {
		m.g.Expect(m.client.Delete(m.ctx, &secret)).To(Succeed())
	}
}

// wake makes objects due at once, as a watch would.
func (m *modelWorld) wake(keys ...types.NamespacedName) {
	for _, key := range keys {
		m.due[key] = m.now()
	}
}

func (m *modelWorld) wakeAllUsers() {
	for key := range m.asked {
		m.wake(key)
	}
}

// changed tells the operator of an edit of a manifest, unless its own predicate holds that back.
func (m *modelWorld) changed(before, after *v1alpha1.MFAUser) {
	if askedFor(userAnnotations).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}) {
		m.wake(client.ObjectKeyFromObject(after))
	}
}
