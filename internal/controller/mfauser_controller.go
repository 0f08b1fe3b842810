package controller

import (
	"context"
	"errors"
	"time"

	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// UserReconciler makes one account per MFAUser, with the manifest's fields on it, and its code in a Secret.
type UserReconciler struct {
	*world
	events      events.EventRecorder
	groupChecks *groupChecks
	deviceReads *deviceReads
	gathering   *gathering
	leftCodes   *leftCodes
}

// step is one part of a pass. It records what it finds and does in the scope; an error ends the pass.
type step func(ctx context.Context, s *scope) error

// Reconcile is one pass over one MFAUser.
func (r *UserReconciler) Reconcile(ctx context.Context, user *v1alpha1.MFAUser) (ctrl.Result, error) {
	s := newScope(user, r.now())
	steps := []step{r.takeAnswer, aside(r.expireCode), r.connect, aside(r.followCode), r.checkPolicy, r.gather, r.claim, r.syncAccount, r.syncGroups, r.syncCode, r.observe, r.converge}
	if s.deleting() {
		steps = []step{r.letGo, aside(r.expireCode), r.connect, r.gather, r.lookBeforeRemoval, aside(r.followCode), r.removeAccount}
	}
	return r.finish(ctx, s, run(ctx, s, steps))
}

// run takes the steps in order and stops at the first error.
func run(ctx context.Context, s *scope, steps []step) error {
	for _, step := range steps {
		if s.released {
			return nil
		}
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// aside takes a step whose failure must not end the pass: a code Secret that can't be read or written, say in a namespace that
// goes or under an admission rule, must not keep an account from being blocked or removed. What is left undone is tried again by
// the next pass. Of a user who stays only that is set aside: observe reports it. For whatever else fails he can wait.
func aside(step step) step {
	return func(ctx context.Context, s *scope) error {
		err := step(ctx, s)
		if err == nil || !s.deleting() && !errors.Is(err, errCodeSecret) {
			return err
		}
		s.setAside(ctx, err)
		return nil
	}
}

func (s *scope) setAside(ctx context.Context, err error) {
	logf.FromContext(ctx).Info("A dead code may still be in its Secret", "reason", err.Error())
	s.wakeAt(s.now.Add(asideAgain))
}

// asideAgain is when a step that failed aside is tried again.
const asideAgain = time.Minute
