package controller

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const metricsNamespace = "trustbuilder_mfa"

// collector holds the counters, and computes the gauges when they are asked for: from memory, aggregated, without a
// series per user that somebody would have to free. No label holds a login or a user's name. docs/operations.md has a row
// for each metric.
type collector struct {
	world *world

	calls     *prometheus.CounterVec
	durations *prometheus.HistogramVec
	codes     *prometheus.CounterVec

	build       *prometheus.Desc
	connections connectionDescs
	users       userDescs
}

// ofConnection are the labels that name a connection. Every metric but the build's begins with them.
var ofConnection = []string{"connection_namespace", "connection"}

func newCollector(w *world) *collector {
	return &collector{
		world: w,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsNamespace, Name: "api_calls_total", Help: "Calls to the service by operation and outcome (ok or the kind of error).",
		}, append(ofConnection, "operation", "outcome")),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Name: "api_call_duration_seconds", Help: "Duration of calls to the service, without the wait for the rate limit.",
			Buckets: []float64{0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30},
		}, append(ofConnection, "operation")),
		codes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsNamespace, Name: "codes_issued_total", Help: "Codes that the service issued, by purpose and type.",
		}, append(ofConnection, "purpose", "type")),
		build: prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, "", "build_info"),
			"1, with the version of the operator that is at work; nobody who stands by has it.", nil, prometheus.Labels{"version": w.opts.Version}),
		connections: newConnectionDescs(),
		users:       newUserDescs(),
	}
}

// gaugeOf names a gauge about a connection.
func gaugeOf(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, "", name), help, append(ofConnection, labels...), nil)
}

// callsOf counts the calls of one connection.
func (c *collector) callsOf(key types.NamespacedName) func(mfaclient.Call) {
	return func(call mfaclient.Call) {
		if !c.world.connections.has(key) {
			return // a call that outlived its connection would leave a series that nobody forgets
		}
		c.calls.WithLabelValues(key.Namespace, key.Name, call.Operation, call.Outcome).Inc()
		c.durations.WithLabelValues(key.Namespace, key.Name, call.Operation).Observe(call.Duration.Seconds())
	}
}

func (c *collector) codeIssued(key types.NamespacedName, purpose v1alpha1.CodePurpose, codeType v1alpha1.CodeType) {
	c.codes.WithLabelValues(key.Namespace, key.Name, string(purpose), string(codeType)).Inc()
}

// forget drops the counters of a connection that is gone.
func (c *collector) forget(key types.NamespacedName) {
	labels := prometheus.Labels{"connection_namespace": key.Namespace, "connection": key.Name}
	c.calls.DeletePartialMatch(labels)
	c.durations.DeletePartialMatch(labels)
	c.codes.DeletePartialMatch(labels)
}

// Start shows the metrics as long as the manager works; another manager in the same process can follow.
func (c *collector) Start(ctx context.Context) error {
	if err := metrics.Registry.Register(c); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	<-ctx.Done()
	metrics.Registry.Unregister(c)
	return nil
}

// NeedLeaderElection says yes: a manager that stands by knows the MFAUsers and nothing of their connections, so its gauges
// would count everybody a second time, as people whose connection does not exist.
func (c *collector) NeedLeaderElection() bool { return true }

// Describe is part of prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	c.calls.Describe(out)
	c.durations.Describe(out)
	c.codes.Describe(out)
	out <- c.build
	for _, desc := range append(c.connections.all(), c.users.all()...) {
		out <- desc
	}
}

// Collect is part of prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	c.calls.Collect(out)
	c.durations.Collect(out)
	c.codes.Collect(out)
	out <- prometheus.MustNewConstMetric(c.build, prometheus.GaugeValue, 1)
	c.collectConnections(out)
	c.collectUsers(out)
}
