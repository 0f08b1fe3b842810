package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// configure reads the token and makes the client for it, if either has changed. It makes no remote call.
func (r *ConnectionReconciler) configure(ctx context.Context, s *connectionScope) error {
	limit := s.object.Spec.RateLimit
	s.conn.gate.SetLimit(float64(limit.RequestsPerSecond), int(limit.Burst))

	token, err := r.readToken(ctx, s)
	if err != nil && !isConnectionFault(err) {
		return err
	}
	claims := token.Claims()
	trouble, _ := r.selectorTrouble(s.object)
	s.conn.show(shown{tokenExpiry: claims.ExpiresAt, interval: interval(s.object), admitsNone: trouble != ""})
	if err != nil {
		r.disconnect(s)
		return err
	}
	if expiry := claims.ExpiresAt; !expiry.IsZero() && !expiry.After(s.now) {
		r.disconnect(s)
		recordClaims(s.object, claims)
		return faulty(v1alpha1.ReasonTokenExpired, "the token has expired; put a new one into the Secret")
	}
	if known := s.object.Status.ServiceID; known != "" && claims.ServiceID != "" && known != claims.ServiceID {
		r.disconnect(s)
		return faulty(v1alpha1.ReasonServiceChanged,
			"the token acts for another service than the one this connection's accounts are in; use a token for the recorded service, or another MFAConnection")
	}
	if err := r.connect(s, clientSettings{s.object.Spec.URL, s.object.Spec.CABundle, token}, claims); err != nil {
		r.disconnect(s)
		return faulty(v1alpha1.ReasonInvalidSpec, "the connection can't be used: "+err.Error())
	}
	recordClaims(s.object, claims)
	return nil
}

// readToken reads the token Secret live; nothing of it is kept in a cache.
func (r *ConnectionReconciler) readToken(ctx context.Context, s *connectionScope) (mfaclient.Token, error) {
	ref := s.object.Spec.TokenSecretRef
	var secret corev1.Secret
	err := r.live.Get(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: ref.Name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		s.tokenAgain = s.now.Add(tokenAgain)
		return mfaclient.Token{}, faulty(v1alpha1.ReasonTokenSecretNotFound, "the Secret of spec.tokenSecretRef does not exist")
	case err != nil:
		return mfaclient.Token{}, err
	case secret.Labels[v1alpha1.LabelToken] != v1alpha1.LabelTrue:
		return mfaclient.Token{}, faulty(v1alpha1.ReasonTokenSecretNotLabelled,
			`the Secret of spec.tokenSecretRef lacks the label trustbuilder-mfa.dev/token: "true", which allows its use as an API token`)
	}
	s.token = &metav1.PartialObjectMetadata{ObjectMeta: secret.ObjectMeta}
	key := ref.Key
	if key == "" {
		key = v1alpha1.DefaultTokenKey
	}
	if len(secret.Data[key]) == 0 {
		return mfaclient.Token{}, faulty(v1alpha1.ReasonTokenMissing, "the Secret of spec.tokenSecretRef has no such key, or its value is empty")
	}
	token, err := mfaclient.NewToken(secret.Data[key])
	if err != nil {
		return mfaclient.Token{}, faulty(v1alpha1.ReasonTokenMalformed, "the token in the Secret is malformed: "+err.Error())
	}
	return token, nil
}

// tokenAgain is how often a missing token Secret is looked for: one that is made without the label wakes nobody, for the
// cache holds labelled ones only.
const tokenAgain = time.Minute

// connect gives the connection a client for these settings, and forgets the failures of the one before.
func (r *ConnectionReconciler) connect(s *connectionScope, settings clientSettings, claims mfaclient.Claims) error {
	conn := s.conn
	conn.mu.Lock()
	defer conn.mu.Unlock()
	same := conn.client != nil && conn.settings.url == settings.url && conn.settings.caBundle == settings.caBundle &&
		conn.settings.token.Equal(settings.token)
	if same {
		return nil
	}
	built, err := r.buildClient(conn, settings)
	if err != nil {
		return err
	}
	// Until its first listing nobody uses it: an opaque token may be for another service.
	conn.client, conn.settings, conn.claims, conn.readiness = built, settings, claims, readinessUnknown
	conn.probes = probeState{forced: true, countsWritten: conn.probes.countsWritten}
	conn.inventory.Use(built)
	return nil
}

// disconnect forgets the client: without a usable token nothing is called.
func (r *ConnectionReconciler) disconnect(s *connectionScope) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.conn.client = nil
	s.conn.probes = probeState{countsWritten: s.conn.probes.countsWritten}
	if s.conn.readiness == readinessReady {
		s.conn.readiness = readinessNotReady
	}
}

func recordClaims(object *v1alpha1.MFAConnection, claims mfaclient.Claims) {
	object.Status.TokenSubject = claims.Subject
	object.Status.TokenExpiresAt = nil
	if !claims.ExpiresAt.IsZero() {
		object.Status.TokenExpiresAt = &metav1.Time{Time: claims.ExpiresAt.Truncate(time.Second)}
	}
}
