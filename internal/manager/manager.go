package manager

import (
	"crypto/tls"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/trustbuilder-mfa/operator/internal/controller"
)

const (
	leaderElectionID = "leader.trustbuilder-mfa.dev"

	// A leader that vanishes is replaced within 18.4 seconds, one that ends in good order at once. For whoever stands by looks
	// every retryPeriod times 1 to 2.2 (client-go's jitter): it sees the last renewal that late, waits for leaseDuration, and
	// sees that late again that nobody has renewed.
	leaseDuration = 14 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 1 * time.Second

	// A call under way may end and its answer be stored. The Deployment's grace period is longer.
	shutdownTimeout = 30 * time.Second
)

// Options of a manager. The zero value, with the controllers' options filled in, works alone and serves nothing secret.
type Options struct {
	// MetricsAddress is where metrics are served; "0" turns them off.
	MetricsAddress string
	// MetricsSecure serves them by HTTPS, and only to callers whom the cluster's RBAC lets get /metrics.
	MetricsSecure bool
	// MetricsCertPath is the folder of tls.crt and tls.key; default: a certificate that the manager signs itself.
	MetricsCertPath string
	// ProbeAddress is where /healthz and /readyz are served; "0" turns them off.
	ProbeAddress string
	// LeaderElect makes the manager work only while it holds a lease.
	LeaderElect bool
	// LeaderElectionNamespace is the namespace of the lease; default: that of the Pod.
	LeaderElectionNamespace string
	Controllers             controller.Options
}

// New makes the manager. It works from Start until the context of Start ends.
func New(cluster *rest.Config, o Options) (ctrl.Manager, error) {
	cluster = rest.CopyConfig(cluster)
	// Their text is that of admission webhooks, would be logged, and may quote the Secret that was written, with its code.
	cluster.WarningHandlerWithContext = rest.NoWarnings{}
	refused, err := o.withoutRefused(cluster)
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	var newClient client.NewClientFunc
	if o.LeaderElect {
		lead := &tenure{clock: o.Controllers.Clock}
		cluster.Wrap(lead.watch)
		newClient, o.Controllers.MayCall = lead.newClient, lead.check
	}
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme:                        controller.NewScheme(),
		Cache:                         controller.CacheOptions(o.Controllers.Namespaces),
		Client:                        controller.ClientOptions(),
		NewClient:                     newClient,
		Metrics:                       o.metrics(),
		HealthProbeBindAddress:        o.ProbeAddress,
		LeaderElection:                o.LeaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // safe: the program ends when Start returns
		LeaseDuration:                 new(leaseDuration),
		RenewDeadline:                 new(renewDeadline),
		RetryPeriod:                   new(retryPeriod),
		GracefulShutdownTimeout:       new(shutdownTimeout),
		// A process may start one manager after another, as tests do. The names differ within each.
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	if err := addProbes(mgr); err != nil {
		return nil, err
	}
	if refused != nil {
		if err := mgr.Add(refused); err != nil {
			return nil, fmt.Errorf("add what waits for namespaces: %w", err)
		}
	}
	if err := controller.Setup(mgr, o.Controllers); err != nil {
		return nil, fmt.Errorf("set up the controllers: %w", err)
	}
	return mgr, nil
}

func (o Options) metrics() metricsserver.Options {
	m := metricsserver.Options{BindAddress: o.MetricsAddress, SecureServing: o.MetricsSecure, CertDir: o.MetricsCertPath}
	if o.MetricsSecure {
		m.FilterProvider = filters.WithAuthenticationAndAuthorization
		// HTTP/2 lets one caller open streams without end, and a scraper has no use for it.
		m.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }}
	}
	return m
}

func addProbes(mgr ctrl.Manager) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add /healthz: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add /readyz: %w", err)
	}
	return nil
}
