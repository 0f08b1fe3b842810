package main

import (
	"context"
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// activity is how much the manager's metrics say it has done.
type activity struct {
	known      bool
	reconciles float64
}

// settled tells whether the manager has nothing left to do: the connection is ready, its queues are empty, no worker is at
// work, and no pass has happened since the call before. One look alone could fall between two metrics.
func (o *operator) settled(ctx context.Context) (bool, error) {
	families, err := o.scrape(ctx)
	if err != nil {
		return false, o.alive() // not listening yet, as long as it lives
	}
	before := o.last
	o.last = activity{}
	if sum(families["trustbuilder_mfa_connection_ready"]) != 1 ||
		sum(families["workqueue_depth"]) != 0 || sum(families["controller_runtime_active_workers"]) != 0 {
		return false, nil
	}
	o.last = activity{known: true, reconciles: sum(families["controller_runtime_reconcile_total"])}
	return before.known && before == o.last, nil
}

func (o *operator) scrape(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.metrics, nil) //nolint:gosec // our own manager
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // our own manager
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(resp.Body)
}

// sum adds all series of a gauge or counter.
func sum(family *dto.MetricFamily) (sum float64) {
	for _, metric := range family.GetMetric() {
		sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
	}
	return sum
}
