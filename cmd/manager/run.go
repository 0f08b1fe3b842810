package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const (
	leaderElectionID = "leader.trustbuilder-mfa.dev"

	// A leader that vanishes is replaced within leaseDuration and one retryPeriod, 17 seconds; one that ends in good order at once.
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second

	// A call under way may end and its answer be stored. The Deployment's grace period is longer.
	shutdownTimeout = 30 * time.Second
)

// run works until the context ends.
func run(ctx context.Context, o options) error {
	logger := zap.New(zap.UseFlagOptions(&o.log))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger) // what client-go says, in the same format
	routes, err := loadRoutes(o.apiOverrides)
	if err != nil {
		return err
	}
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	userAgent := "trustbuilder-mfa-operator/" + buildVersion()
	restConfig.UserAgent = userAgent
	mgr, err := ctrl.NewManager(restConfig, managerOptions(o))
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	if err := addProbes(mgr); err != nil {
		return err
	}
	if err := controller.Setup(mgr, controller.Options{
		Clock:                 clock.RealClock{},
		Routes:                routes,
		ConcurrentUsers:       o.concurrentUsers,
		ConcurrentConnections: o.concurrentConnections,
		UserAgent:             userAgent,
	}); err != nil {
		return fmt.Errorf("set up the controllers: %w", err)
	}
	ctrl.Log.WithName("setup").Info("Starting", "version", buildVersion())
	return mgr.Start(ctx)
}

func managerOptions(o options) ctrl.Options {
	return ctrl.Options{
		Scheme:                        controller.NewScheme(),
		Cache:                         controller.CacheOptions(),
		Client:                        controller.ClientOptions(),
		Metrics:                       metricsOptions(o),
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // safe: main ends when Start returns
		LeaseDuration:                 new(leaseDuration),
		RenewDeadline:                 new(renewDeadline),
		RetryPeriod:                   new(retryPeriod),
		GracefulShutdownTimeout:       new(shutdownTimeout),
	}
}

func metricsOptions(o options) metricsserver.Options {
	m := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, CertDir: o.metricsCertPath}
	if o.metricsSecure {
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

func loadRoutes(path string) (mfaclient.Routes, error) {
	if path == "" {
		return mfaclient.DefaultRoutes(), nil
	}
	file, err := os.Open(path) //nolint:gosec // the operator's own flag names it
	if err != nil {
		return mfaclient.Routes{}, fmt.Errorf("--api-overrides: %w", err)
	}
	defer func() { _ = file.Close() }()
	routes, err := mfaclient.LoadRoutes(file)
	if err != nil {
		return mfaclient.Routes{}, fmt.Errorf("--api-overrides %s: %w", path, err)
	}
	return routes, nil
}

// buildVersion is what the linker stamped, or for `go install module@version` what go knows.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return strings.Trim(info.Main.Version, "()") // go says (devel) of a build from a working tree
	}
	return "unknown"
}
