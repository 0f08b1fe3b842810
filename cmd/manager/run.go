package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"runtime/debug"
	"strings"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/manager"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// run works until the context ends.
func run(ctx context.Context, o options) error {
	setLoggers(o)
	routes, err := mfaclient.RoutesWith(o.apiOverrides)
	if err != nil {
		return err
	}
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	userAgent := "trustbuilder-mfa-operator/" + buildVersion()
	cluster.UserAgent = userAgent
	mgr, err := manager.New(cluster, manager.Options{
		MetricsAddress:          o.metricsAddress,
		MetricsSecure:           o.metricsSecure,
		MetricsCertPath:         o.metricsCertPath,
		ProbeAddress:            o.probeAddress,
		LeaderElect:             o.leaderElect,
		LeaderElectionNamespace: o.leaderElectionNamespace,
		Controllers: controller.Options{
			Clock:                 clock.RealClock{},
			Routes:                routes,
			Namespaces:            o.watchNamespaces.names,
			ConcurrentUsers:       o.concurrentUsers,
			ConcurrentConnections: o.concurrentConnections,
			UserAgent:             userAgent,
			Version:               buildVersion(),
		},
	})
	if err != nil {
		return err
	}
	ctrl.Log.WithName("setup").Info("Starting", "version", buildVersion())
	return mgr.Start(ctx)
}

func setLoggers(o options) {
	logger := manager.NewLogger(o.log)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger) // what client-go says, in the same format
	// What is left for the standard logger is net/http's. It quotes an answer that comes when nobody waits for it any more, say
	// from behind a gateway that has given up, and that may be one with a code.
	log.SetOutput(io.Discard)
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
