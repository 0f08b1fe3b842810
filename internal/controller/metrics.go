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
// series per user that somebody would have to free. No label holds a login or a user's name.
type collector struct {
	world *world

	calls     *prometheus.CounterVec
	durations *prometheus.HistogramVec
	codes     *prometheus.CounterVec

	users       *prometheus.Desc
	accounts    *prometheus.Desc
	listedAt    *prometheus.Desc
	tokenExpiry *prometheus.Desc
	ready       *prometheus.Desc
}

func newCollector(w *world) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, "", name), help, append([]string{"connection_namespace", "connection"}, labels...), nil)
	}
	return &collector{
		world: w,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsNamespace, Name: "api_calls_total", Help: "Calls to the service by operation and outcome (ok or the kind of error).",
		}, []string{"operation", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Name: "api_call_duration_seconds", Help: "Duration of calls to the service, without the wait for the rate limit.",
			Buckets: []float64{0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30},
		}, []string{"operation"}),
		codes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsNamespace, Name: "codes_issued_total", Help: "Codes that the service issued, by purpose and type.",
		}, []string{"purpose", "type"}),
		users:       desc("users", "MFAUsers by connection (empty: it does not exist), state of the account (None: there is none) and status of Ready.", "state", "ready"),
		accounts:    desc("accounts", "Accounts in the newest listing."),
		listedAt:    desc("listing_age_seconds", "Age of the picture of the accounts."),
		tokenExpiry: desc("token_expiry_timestamp_seconds", "When the API token runs out; absent when it does not say."),
		ready:       desc("connection_ready", "1 when the connection is ready, else 0."),
	}
}

func (c *collector) observeCall(call mfaclient.Call) {
	c.calls.WithLabelValues(call.Operation, call.Outcome).Inc()
	c.durations.WithLabelValues(call.Operation).Observe(call.Duration.Seconds())
}

func (c *collector) codeIssued(purpose v1alpha1.CodePurpose, codeType v1alpha1.CodeType) {
	c.codes.WithLabelValues(string(purpose), string(codeType)).Inc()
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

// NeedLeaderElection says no: who stands by is looked at too.
func (c *collector) NeedLeaderElection() bool { return false }

// Describe is part of prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	c.calls.Describe(out)
	c.durations.Describe(out)
	c.codes.Describe(out)
	for _, d := range []*prometheus.Desc{c.users, c.accounts, c.listedAt, c.tokenExpiry, c.ready} {
		out <- d
	}
}

// Collect is part of prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	c.calls.Collect(out)
	c.durations.Collect(out)
	c.codes.Collect(out)
	c.collectConnections(out)
	c.collectUsers(out)
}

func (c *collector) collectConnections(out chan<- prometheus.Metric) {
	for _, conn := range c.world.connections.all() {
		gauge := func(desc *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, conn.key.Namespace, conn.key.Name)
		}
		view := conn.view()
		ready := 0.0
		if view.readiness == readinessReady {
			ready = 1
		}
		gauge(c.ready, ready)
		if begun := conn.inventory.Begun(); !begun.IsZero() {
			gauge(c.listedAt, c.world.clock.Since(begun).Seconds())
			gauge(c.accounts, float64(conn.inventory.Len()))
		}
		if expiry := view.claims.ExpiresAt; !expiry.IsZero() {
			gauge(c.tokenExpiry, float64(expiry.Unix()))
		}
	}
}

func (c *collector) collectUsers(out chan<- prometheus.Metric) {
	type series struct {
		connection   types.NamespacedName
		state, ready string
	}
	counts := map[series]int{}
	for user := range c.world.everyUser {
		key := series{connectionKey(user), string(user.Status.State), string(readyOf(user.Status.Conditions).Status)}
		if !c.world.connections.has(key.connection) {
			key.connection = types.NamespacedName{} // a name that anybody may have made up is no label
		}
		if key.state == "" {
			key.state = "None"
		}
		if key.ready == "" {
			key.ready = "Unknown"
		}
		counts[key]++
	}
	for key, n := range counts {
		out <- prometheus.MustNewConstMetric(c.users, prometheus.GaugeValue, float64(n), key.connection.Namespace, key.connection.Name, key.state, key.ready)
	}
}
