package controller

import (
	"context"
	"maps"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

type userEdit = func(*v1alpha1.MFAUser)

// userStates are the states of alice. What is done is in states_done_test.go, what is not in states_open_test.go.
var userStates = merged(doneStates, openStates, stalledStates, deletedStates)

func merged(tables ...map[string]state) map[string]state {
	all := map[string]state{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// applied makes alice, who settles.
func applied(edits ...userEdit) func(w *testWorld) {
	return func(w *testWorld) { w.apply(w.user("alice", edits...)) }
}

// changed changes alice's manifest, and she settles.
func changed(edit userEdit) func(w *testWorld) {
	return func(w *testWorld) {
		w.edit("alice", edit)
		w.settle("alice")
	}
}

// elsewhere changes alice's account as an administrator would, and she settles.
func elsewhere(edit func(*mfasim.Account)) func(w *testWorld) {
	return func(w *testWorld) {
		w.console(aliceLogin, edit)
		w.settle("alice")
	}
}

// inServiceState lets the account come into a state of the service.
func inServiceState(status string) func(w *testWorld) {
	return elsewhere(func(a *mfasim.Account) { a.Status = status })
}

// meeting lets a call meet a fault from now on.
func meeting(op string, fault mfasim.Fault) func(w *testWorld) {
	return func(w *testWorld) {
		fault.Operation = op
		w.sim.SetFault(fault)
	}
}

// created makes alice, and passes over her once, whatever comes of it.
func created(edits ...userEdit) func(w *testWorld) {
	return func(w *testWorld) {
		w.create(w.user("alice", edits...))
		passed(w)
	}
}

// edited changes alice's manifest, and passes over her once, whatever comes of it.
func edited(edit userEdit) func(w *testWorld) {
	return func(w *testWorld) {
		w.edit("alice", edit)
		passed(w)
	}
}

// then does one thing after another.
func then(acts ...func(w *testWorld)) func(w *testWorld) {
	return func(w *testWorld) {
		for _, act := range acts {
			act(w)
		}
	}
}

func passed(w *testWorld) { _, _ = w.pass("alice") }

func waits(d time.Duration) func(w *testWorld) {
	return func(w *testWorld) {
		w.tick(d)
		w.settle("alice")
	}
}

// removed deletes alice's manifest, and passes over her once.
func removed(w *testWorld) {
	w.remove("alice")
	passed(w)
}

// Changes of a manifest.
var (
	suspend      userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Suspend = true }
	observe      userEdit = func(u *v1alpha1.MFAUser) { u.Spec.ManagementPolicy = v1alpha1.ManagementObserve }
	block        userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Access = new(v1alpha1.AccessBlocked) }
	promote      userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Role = new(v1alpha1.RoleManager) }
	rename       userEdit = func(u *v1alpha1.MFAUser) { u.Spec.FirstName = new("Alice") }
	withoutCode  userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(0)) }
	secondCode   userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Code.Generation = new(int64(2)) }
	unlockCode   userEdit = func(u *v1alpha1.MFAUser) { secondCode(u); u.Spec.Code.Purpose = v1alpha1.PurposeUnlock }
	inactiveCode userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeInactive }
	activateCode userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Code.Activation = v1alpha1.ActivationNow }
	unknownGroup userEdit = func(u *v1alpha1.MFAUser) { u.Spec.Groups = group("staff-none", v1alpha1.RoleUser) }
)

// alreadyThere puts alice's account into the service before her manifest comes.
func alreadyThere(w *testWorld) {
	w.sim.Seed(mfasim.Account{Login: aliceLogin})
	w.tick(11 * time.Minute)
}

// refusedFinalizers lets the API server refuse every write of a finalizer.
func refusedFinalizers(w *testWorld) {
	w.users.client = interceptor.NewClient(w.client, interceptor.Funcs{
		Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
			return errRefused
		},
	})
}
