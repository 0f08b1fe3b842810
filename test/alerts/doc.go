// Package alerts tests the alerts of config/prometheus with promtool, and that docs/operations.md says what to do for each.
package alerts
