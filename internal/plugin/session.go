package plugin

import (
	"context"
	"errors"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

// session is what the commands share: where to write, what time it is, and the way to the cluster.
type session struct {
	Options
	config *genericclioptions.ConfigFlags
}

func newSession(o Options) *session {
	crlog.SetLogger(klog.Background())
	return &session{Options: o, config: newConfigFlags(o.IOStreams)}
}

// client makes a client with the caller's own rights.
func (s *session) client() (client.Client, error) {
	config, err := s.config.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	config.UserAgent = "kubectl-mfa/" + s.Version
	config.QPS, config.Burst = 50, 100 // the API server has a measure of its own
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	return c, nil
}

// namespace is the one of the flag, else of the kubeconfig's context.
func (s *session) namespace() (string, error) {
	namespace, _, err := s.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("find the namespace: %w", err)
	}
	return namespace, nil
}

// start gives a command that works in one namespace what it needs.
func (s *session) start() (client.Client, string, error) {
	c, err := s.client()
	if err != nil {
		return nil, "", err
	}
	namespace, err := s.namespace()
	return c, namespace, err
}

// listPage is how many objects the API server is asked for at once.
const listPage = 500

// listUsers returns the MFAUsers of a namespace, of all when it is empty, in the order of the API server: by namespace and name.
func listUsers(ctx context.Context, c client.Client, namespace string, opts ...client.ListOption) ([]v1alpha1.MFAUser, error) {
	var all []v1alpha1.MFAUser
	opts = append(opts, client.InNamespace(namespace), client.Limit(listPage))
	for next := ""; ; {
		var page v1alpha1.MFAUserList
		if err := c.List(ctx, &page, append(opts, client.Continue(next))...); err != nil {
			return nil, explain(err, "list MFAUsers", "")
		}
		all = append(all, page.Items...)
		if next = page.Continue; next == "" {
			return all, nil
		}
	}
}

func getUser(ctx context.Context, c client.Client, key client.ObjectKey) (*v1alpha1.MFAUser, error) {
	var user v1alpha1.MFAUser
	if err := c.Get(ctx, key, &user); err != nil {
		return nil, explain(err, "read the MFAUser "+key.String(), "kubectl mfa status -A lists all that there are")
	}
	return &user, nil
}

func getConnection(ctx context.Context, c client.Client, key client.ObjectKey) (*v1alpha1.MFAConnection, error) {
	var conn v1alpha1.MFAConnection
	if err := c.Get(ctx, key, &conn); err != nil {
		return nil, explain(err, "read the MFAConnection "+key.String(), "kubectl get mfaconn -A lists all that there are; -n names the namespace")
	}
	return &conn, nil
}

// explain adds what somebody can do about an error of the API server. missing is the hint for what does not exist.
func explain(err error, what, missing string) error {
	switch {
	case meta.IsNoMatchError(err):
		return fmt.Errorf("%s: the cluster does not know the kind; install the operator's CRDs, and see kubectl mfa doctor", what)
	case apierrors.IsNotFound(err) && missing != "":
		return fmt.Errorf("%s: it does not exist; %s", what, missing)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w; kubectl mfa doctor says which rights are missing", what, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: the cluster does not accept your credentials; log in again", what)
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	}
	return fmt.Errorf("%s: %w", what, err)
}
