package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// remoteFlags say how the service is reached where the cluster does not say, or where the caller may not see it.
type remoteFlags struct {
	tokenFile, overrides string
}

func (f *remoteFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.tokenFile, "token-file", "", "A file with the API token, for callers who may not read the connection's Secret")
	flags.StringVar(&f.overrides, "api-overrides", "", "The file that the manager's flag of this name is given, if it is")
}

// service is a connection with a client that reads from its service. Nothing here writes there.
type service struct {
	object *v1alpha1.MFAConnection
	client patient
	claims mfaclient.Claims
	clock  clock.PassiveClock
}

// open makes a client for the service of a connection.
func (s *session) open(ctx context.Context, c client.Client, conn *v1alpha1.MFAConnection, f remoteFlags) (*service, error) {
	token, err := readToken(ctx, c, conn, f.tokenFile)
	if err != nil {
		return nil, err
	}
	claims := token.Claims()
	if known := conn.Status.ServiceID; known != "" && claims.ServiceID != "" && known != claims.ServiceID {
		return nil, fmt.Errorf("the token acts for service %s, and the MFAConnection %s belongs to service %s", claims.ServiceID, conn.Name, known)
	}
	routes, err := mfaclient.RoutesWith(f.overrides)
	if err != nil {
		return nil, err
	}
	limit := conn.Spec.RateLimit
	remote, err := mfaclient.New(mfaclient.Config{
		BaseURL: conn.Spec.URL, CABundle: []byte(conn.Spec.CABundle), Token: token, Routes: routes,
		Gate:      mfaclient.NewGate(clock.RealClock{}, float64(limit.RequestsPerSecond), max(1, int(limit.Burst))),
		UserAgent: "kubectl-mfa/" + s.Version,
	})
	if err != nil {
		return nil, fmt.Errorf("the MFAConnection %s can't be used: %w", conn.Name, err)
	}
	return &service{object: conn, client: patient{remote}, claims: claims, clock: s.Clock}, nil
}

// readToken reads the API token from a file, or from the connection's Secret by the operator's own rules. No error shows it.
func readToken(ctx context.Context, c client.Client, conn *v1alpha1.MFAConnection, file string) (mfaclient.Token, error) {
	if file != "" {
		raw, err := os.ReadFile(file) //nolint:gosec // the caller's own flag names it
		if err != nil {
			return mfaclient.Token{}, fmt.Errorf("--token-file: %w", err)
		}
		token, err := mfaclient.NewToken(raw)
		if err != nil {
			return mfaclient.Token{}, fmt.Errorf("--token-file %s: %w", file, err)
		}
		return token, nil
	}
	ref := conn.Spec.TokenSecretRef
	var secret corev1.Secret
	what := fmt.Sprintf("read the token Secret %s/%s", conn.Namespace, ref.Name)
	if err := c.Get(ctx, client.ObjectKey{Namespace: conn.Namespace, Name: ref.Name}, &secret); err != nil {
		return mfaclient.Token{}, fmt.Errorf("%w; with a token of your own, use --token-file", explain(err, what, "create it, as the README says"))
	}
	token, err := tokenOf(&secret, ref)
	if err != nil {
		return mfaclient.Token{}, fmt.Errorf("%s: %w", what, err)
	}
	return token, nil
}

// tokenOf takes the token out of its Secret. One without the label is not sent anywhere: whoever may write MFAConnections
// could else have others send him any Secret of the namespace.
func tokenOf(secret *corev1.Secret, ref v1alpha1.SecretKeyReference) (mfaclient.Token, error) {
	if secret.Labels[v1alpha1.LabelToken] != v1alpha1.LabelTrue {
		return mfaclient.Token{}, fmt.Errorf(`it lacks the label %s: "true", which allows its use as an API token`, v1alpha1.LabelToken)
	}
	key := ref.Key
	if key == "" {
		key = v1alpha1.DefaultTokenKey
	}
	if len(secret.Data[key]) == 0 {
		return mfaclient.Token{}, fmt.Errorf("it has no key %q, or its value is empty", key)
	}
	return mfaclient.NewToken(secret.Data[key])
}

// list reads all accounts, with a bar.
func (r *service) list(ctx context.Context, s *session) (*inventory.Inventory, error) {
	total := 0
	if counts := r.object.Status.Accounts; counts != nil {
		total = int(counts.Total) // as the operator last saw it
	}
	bar := progress(s.ErrOut, total, "accounts")
	picture := inventory.New(inventory.Options{Clock: r.clock, Managed: func() map[mfaclient.AccountID]struct{} { return nil }})
	picture.Use(counted{r.client, func(n int) { _ = bar.Add(n) }})
	err := picture.Refresh(ctx, r.clock.Now())
	_ = bar.Finish()
	if err != nil {
		return nil, remoteTrouble(r.object, err)
	}
	return picture, nil
}

// counted tells how many accounts each page brought.
type counted struct {
	patient
	count func(int)
}

// ListAccounts is part of inventory.Service.
func (c counted) ListAccounts(ctx context.Context, page, limit int) (mfaclient.AccountPage, error) {
	got, err := c.patient.ListAccounts(ctx, page, limit)
	c.count(len(got.Accounts))
	return got, err
}

// remoteTrouble says what to do about an error of the service.
func remoteTrouble(conn *v1alpha1.MFAConnection, err error) error {
	hint := "see kubectl mfa doctor"
	switch mfaclient.KindOf(err) {
	case mfaclient.KindUnauthenticated, mfaclient.KindDenied:
		hint = "the service refuses the token; put a new one into the Secret, or check --token-file"
	case mfaclient.KindRateLimited:
		hint = "the service asked to slow down; try again in a while"
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return fmt.Errorf("the service of the MFAConnection %s: %w; %s", conn.Name, err, hint)
}

// labelsOf reads the labels of a namespace, for a connection that selects by them.
func labelsOf(ctx context.Context, c client.Client, namespace string) func(labels.Selector) (labels.Set, error) {
	return func(labels.Selector) (labels.Set, error) {
		var object corev1.Namespace
		err := c.Get(ctx, client.ObjectKey{Name: namespace}, &object)
		return object.Labels, err
	}
}
