package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	apiv1alpha1 "github.com/trustbuilder-mfa/operator/api/applyconfiguration/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

const (
	connectionName  = "bench"
	usersNamespace  = "users"
	tokenSecretName = "trustbuilder-api-token"
	benchOwner      = "bench"
)

func login(n int) string    { return fmt.Sprintf("user-%05d@example.com", n) }
func lastName(n int) string { return fmt.Sprintf("Martin %05d", n) }

// manifest is a user as a team would write it: the fields that a directory knows, the rest left to the defaults.
func manifest(namespace string, n int) *apiv1alpha1.MFAUserApplyConfiguration {
	spec := apiv1alpha1.MFAUserSpec().
		WithConnectionRef(apiv1alpha1.ConnectionReference().WithName(connectionName).WithNamespace(systemNamespace)).
		WithLogin(login(n)).WithFirstName("Alice").WithLastName(lastName(n)).WithEmail(login(n)).
		WithPhone("+33612345678").WithLanguage("en").WithRole(v1alpha1.RoleUser)
	return apiv1alpha1.MFAUser(fmt.Sprintf("user-%05d", n), namespace).WithSpec(spec)
}

// applyManifest does what kubectl apply --server-side does.
func (s *stage) applyManifest(ctx context.Context, namespace string, n int) error {
	return s.admin.Apply(ctx, manifest(namespace, n), client.FieldOwner(benchOwner), client.ForceOwnership)
}

// connect makes the namespaces, the token and a connection without a limit in the way, and waits until it is ready.
func (s *stage) connect(ctx context.Context) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: usersNamespace}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: systemNamespace, Name: tokenSecretName, Labels: map[string]string{v1alpha1.LabelToken: v1alpha1.LabelTrue},
			},
			Data: map[string][]byte{v1alpha1.DefaultTokenKey: []byte(s.service.sim.Token())},
		},
		&v1alpha1.MFAConnection{
			ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: connectionName},
			Spec: v1alpha1.MFAConnectionSpec{
				URL: s.service.server.URL, CABundle: string(s.service.authority()),
				TokenSecretRef:    v1alpha1.SecretKeyReference{Name: tokenSecretName},
				ResyncInterval:    metav1.Duration{Duration: s.interval},
				RateLimit:         v1alpha1.RateLimit{RequestsPerSecond: 10000, Burst: 10000},
				AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.FromAll},
				Policy:            v1alpha1.ConnectionPolicy{LoginPatterns: []string{"*@example.com"}},
			},
		},
	}
	for _, object := range objects {
		if err := s.admin.Create(ctx, object); err != nil {
			return err
		}
	}
	return s.wait(ctx, "connection", startLimit, func() (bool, string, error) {
		connection, err := s.connection(ctx)
		ready := err == nil && meta.IsStatusConditionTrue(connection.Status.Conditions, v1alpha1.ConditionReady)
		return ready, "not ready", err
	})
}

func (s *stage) connection(ctx context.Context) (*v1alpha1.MFAConnection, error) {
	var connection v1alpha1.MFAConnection
	err := s.admin.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: connectionName}, &connection)
	return &connection, err
}
