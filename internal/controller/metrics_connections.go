package controller

import (
	"github.com/prometheus/client_golang/prometheus"
)

// connectionDescs are the gauges that each connection has one of.
type connectionDescs struct {
	ready, accounts, listingAge, interval, tokenExpiry *prometheus.Desc
}

func newConnectionDescs() connectionDescs {
	return connectionDescs{
		ready:       gaugeOf("connection_ready", "1 when the connection is ready, else 0."),
		accounts:    gaugeOf("accounts", "Accounts in the newest listing."),
		listingAge:  gaugeOf("listing_age_seconds", "Age of the picture of the accounts; absent before the first."),
		interval:    gaugeOf("resync_interval_seconds", "How old the picture of the accounts may get before it is taken anew: spec.resyncInterval."),
		tokenExpiry: gaugeOf("token_expiry_timestamp_seconds", "When the API token runs out; absent when it does not say."),
	}
}

func (d connectionDescs) all() []*prometheus.Desc {
	return []*prometheus.Desc{d.ready, d.accounts, d.listingAge, d.interval, d.tokenExpiry}
}

func (c *collector) collectConnections(out chan<- prometheus.Metric) {
	d := c.connections
	for _, conn := range c.world.connections.all() {
		gauge := func(desc *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, conn.key.Namespace, conn.key.Name)
		}
		view := conn.view()
		ready := 0.0
		if view.readiness == readinessReady && !view.shown.admitsNone {
			ready = 1
		}
		gauge(d.ready, ready)
		if begun := conn.inventory.Begun(); !begun.IsZero() {
			gauge(d.listingAge, c.world.clock.Since(begun).Seconds())
			gauge(d.accounts, float64(conn.inventory.Len()))
		}
		if view.shown.interval > 0 {
			gauge(d.interval, view.shown.interval.Seconds())
		}
		if expiry := view.shown.tokenExpiry; !expiry.IsZero() {
			gauge(d.tokenExpiry, float64(expiry.Unix()))
		}
	}
}
