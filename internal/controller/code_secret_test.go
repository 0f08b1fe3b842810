package controller

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestRefusedSecretIsNotQuoted(t *testing.T) {
	g := NewWithT(t)
	refusal := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "alice-mfa", errors.New("webhook: code=c0de-1234"))

	err := withoutText(refusal)

	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "the kind of refusal decides what happens next")
	g.Expect(err.Error()).NotTo(ContainSubstring("c0de-1234"))
	g.Expect(withoutText(nil)).To(Succeed())
}

// TestDeadCodeThatSomebodyElseOwns: a dead code or link leaves the Secret also when somebody has written the key meanwhile, and
// what else he has written stays. Where nobody has, that costs no write.
func TestDeadCodeThatSomebodyElseOwns(t *testing.T) {
	const others = "note"
	type secretEdit = func(w *testWorld, secret *corev1.Secret)
	writers := map[string]struct {
		write   secretEdit
		patches int
	}{
		"nobody": {func(*testWorld, *corev1.Secret) {}, 0},
		"kubectl replace --force": {func(w *testWorld, secret *corev1.Secret) {
			w.deleteObject(secret)
			secret.ObjectMeta = metav1.ObjectMeta{
				Namespace: secret.Namespace, Name: secret.Name, Labels: secret.Labels, Annotations: secret.Annotations, OwnerReferences: secret.OwnerReferences,
			}
			secret.Data[others] = []byte("kept")
			w.create(secret)
		}, 1},
		"kubectl edit": {func(w *testWorld, secret *corev1.Secret) {
			secret.Data[v1alpha1.KeyCode], secret.Data[v1alpha1.KeyLink], secret.Data[others] = []byte("typed"), []byte("typed"), []byte("kept")
			w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
		}, 1},
	}
	dies := map[string]struct {
		how  func(w *testWorld)
		want []string // of code and link, what is left
	}{
		"used": {func(w *testWorld) {
			live, _ := w.sim.LiveCode(aliceLogin)
			w.g.Expect(w.sim.UseCode(live)).To(Succeed())
			w.tick(11 * time.Minute)
		}, nil},
		"run out": {func(w *testWorld) { w.clock.Step(22 * 24 * time.Hour) }, nil},
		"replaced by a short one": {func(w *testWorld) {
			w.edit("alice", func(u *v1alpha1.MFAUser) { secondCode(u); u.Spec.Code.Type = v1alpha1.CodeShort })
		}, []string{v1alpha1.KeyCode}},
	}
	for who, writer := range writers {
		for how, death := range dies {
			t.Run(how+", written by "+who, func(t *testing.T) {
				w := newTestWorld(t, mfasim.Options{})
				w.inState(mfasim.StatusPending)
				writer.write(w, w.secret("alice"))
				clear(w.writes)
				death.how(w)
				w.settle("alice")
				var left []string
				for _, key := range []string{v1alpha1.KeyCode, v1alpha1.KeyLink} {
					if _, there := w.secret("alice").Data[key]; there {
						left = append(left, key)
					}
				}
				w.g.Expect(left).To(Equal(death.want))
				if writer.patches > 0 {
					w.g.Expect(w.secret("alice").Data).To(HaveKeyWithValue(others, []byte("kept")))
				}
				if death.want != nil {
					w.oneLiveCode("alice")
				}
				w.g.Expect(w.writes["patch *v1.PartialObjectMetadata"]).To(Equal(writer.patches))
			})
		}
	}
}
