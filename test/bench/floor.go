package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// sequentialAtMost bounds the slowest measurement; with more users its time is scaled up, and the table says so.
const sequentialAtMost = 2000

// bare makes by hand what the operator makes, in the same order, and looks at nothing.
type bare struct {
	stage     *stage
	remote    *mfaclient.Client
	namespace string
}

// measureFloor measures how fast the same objects can be made at all, one user after the other and many at once.
func (s *stage) measureFloor(ctx context.Context, f *figures) error {
	f.sequentialUsers = min(s.users, sequentialAtMost)
	s.say("floor: %d users one after the other", f.sequentialUsers)
	took, err := s.bareRun(ctx, "floor-sequential", func(ctx context.Context, b *bare) error {
		for n := range f.sequentialUsers {
			if err := b.makeUser(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.sequential = took * time.Duration(s.users) / time.Duration(f.sequentialUsers)
	s.say("floor: %d users, %d at once", s.users, workers)
	f.parallel, err = s.bareRun(ctx, "floor-parallel", func(ctx context.Context, b *bare) error {
		return eachUser(ctx, s.users, b.makeUser)
	})
	return err
}

// bareRun measures a run in a namespace of its own, against an empty service of its own.
func (s *stage) bareRun(ctx context.Context, namespace string, run func(context.Context, *bare) error) (time.Duration, error) {
	service := newService()
	defer service.server.Close()
	token, err := mfaclient.NewToken([]byte(service.sim.Token()))
	if err != nil {
		return 0, err
	}
	remote, err := mfaclient.New(mfaclient.Config{BaseURL: service.server.URL, CABundle: service.authority(), Token: token})
	if err != nil {
		return 0, err
	}
	if err := s.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return 0, err
	}
	start := time.Now()
	err = run(ctx, &bare{stage: s, remote: remote, namespace: namespace})
	return time.Since(start), err
}

// makeUser applies one manifest and then does what its creation costs: one POST and four writes.
func (b *bare) makeUser(ctx context.Context, n int) error {
	admin, config := b.stage.admin, manifest(b.namespace, n)
	if err := admin.Apply(ctx, config, client.FieldOwner(benchOwner), client.ForceOwnership); err != nil {
		return err
	}
	user := &v1alpha1.MFAUser{ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: *config.GetName()}}
	finalizer := `{"metadata":{"finalizers":["` + v1alpha1.Finalizer + `"]}}`
	if err := admin.Patch(ctx, user, client.RawPatch(types.MergePatchType, []byte(finalizer))); err != nil {
		return err
	}
	base := user.DeepCopy()
	user.Status.Creating = &v1alpha1.CreationIntent{At: metav1.NowMicro(), Attempts: 1}
	if err := admin.Status().Patch(ctx, user, client.MergeFrom(base)); err != nil {
		return err
	}
	account, issued, err := b.remote.CreateAccount(ctx, mfaclient.CreateAccountRequest{
		Login: user.Spec.Login, CodeType: mfaclient.CodeTypeLink,
		Fields: mfaclient.AccountFields{
			FirstName: user.Spec.FirstName, LastName: user.Spec.LastName, Email: user.Spec.Email,
			Phone: user.Spec.Phone, Language: user.Spec.Language,
		},
	})
	if err != nil {
		return err
	}
	secret := corev1ac.Secret(user.CodeSecretName(), b.namespace).WithType(v1alpha1.SecretType).WithData(map[string][]byte{
		v1alpha1.KeyLink: issued.Link.Reveal(), v1alpha1.KeyLogin: []byte(account.Login), v1alpha1.KeyAccountID: []byte(account.ID),
	})
	if err := admin.Apply(ctx, secret, client.FieldOwner(benchOwner), client.ForceOwnership); err != nil {
		return err
	}
	base = user.DeepCopy()
	user.Status.Creating, user.Status.AccountID = nil, string(account.ID)
	user.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled, LastTransitionTime: metav1.Now(),
	}}
	return admin.Status().Patch(ctx, user, client.MergeFrom(base))
}
