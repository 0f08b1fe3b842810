package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const (
	mfaNamespace  = "mfa-system"
	teamNamespace = "team-a"
	connection    = "production"
	staff         = 40 // who had an account before
)

func loginOf(name string) string { return name + "@example.com" }

func employee(n int) string { return fmt.Sprintf("employee-%02d", n) }

// open makes the connection, adopts those who are there already, and starts two replicas.
func (t *story) open(ctx context.Context) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: mfaNamespace}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: teamNamespace}},
		t.tokenSecret(t.sim.IssueToken(mfasim.DefaultAdminLogin, 5*24*time.Hour)), t.connection(),
	}
	for n := range staff {
		t.sim.Seed(mfasim.Account{Login: loginOf(employee(n)), Status: mfasim.StatusActivated})
		objects = append(objects, user(employee(n), func(u *v1alpha1.MFAUser) { u.Spec.AdoptionPolicy = v1alpha1.AdoptionIfExists }))
	}
	if err := t.create(ctx, objects...); err != nil {
		return err
	}
	if err := t.startLeader(ctx); err != nil {
		return err
	}
	_, err := t.startReplica()
	return err
}

func (t *story) create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		if err := t.admin.Create(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func (t *story) tokenSecret(token string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: mfaNamespace, Name: "token", Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue}},
		Data:       map[string][]byte{v1alpha1.DefaultTokenKey: []byte(token)},
	}
}

func (t *story) connection() *v1alpha1.MFAConnection {
	return &v1alpha1.MFAConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: mfaNamespace, Name: connection},
		Spec: v1alpha1.MFAConnectionSpec{
			URL: t.server.URL, CABundle: t.authority(),
			TokenSecretRef:    v1alpha1.SecretKeyReference{Name: "token"},
			ResyncInterval:    metav1.Duration{Duration: max(2*time.Second, t.length/72)},
			RateLimit:         v1alpha1.RateLimit{RequestsPerSecond: 100, Burst: 100},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll},
			Policy:            v1alpha1.ConnectionPolicy{LoginPatterns: []string{"*@example.com"}, Adoption: v1alpha1.ConnectionAdoptionAllow},
		},
	}
}

// user is an MFAUser with a login of its name.
func user(name string, edits ...func(*v1alpha1.MFAUser)) *v1alpha1.MFAUser {
	u := &v1alpha1.MFAUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: teamNamespace, Name: name},
		Spec: v1alpha1.MFAUserSpec{
			ConnectionRef: v1alpha1.ConnectionReference{Name: connection, Namespace: mfaNamespace},
			Login:         loginOf(name),
		},
	}
	for _, edit := range edits {
		edit(u)
	}
	return u
}

// join lets somebody come. Every seventh gets a short code, and never uses it.
func (t *story) join(ctx context.Context) error {
	t.joined++
	name := fmt.Sprintf("joiner-%03d", t.joined)
	if t.joined%7 == 0 {
		return t.create(ctx, user(name, func(u *v1alpha1.MFAUser) { u.Spec.Code.Type = v1alpha1.CodeShort }))
	}
	t.waiting = append(t.waiting, name)
	return t.create(ctx, user(name))
}

// useCodes lets some of those who wait enrol: one in fifty in each tick, if the code is there.
func (t *story) useCodes(ctx context.Context) error {
	var still []string
	for _, name := range t.waiting {
		used := false
		if t.dice.IntN(50) == 0 {
			var secret corev1.Secret
			err := t.admin.Get(ctx, client.ObjectKey{Namespace: teamNamespace, Name: name + "-mfa"}, &secret)
			if client.IgnoreNotFound(err) != nil {
				return err
			}
			link := string(secret.Data[v1alpha1.KeyLink])
			used = link != "" && t.sim.UseCode(link) == nil
		}
		if !used {
			still = append(still, name)
		}
	}
	t.waiting = still
	return nil
}
