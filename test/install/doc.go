// Package install holds the tests of what people install the operator with: the overlays in config and the Helm chart.
// Both are built by the real tools, put into a real API server, upgraded and taken away again, and the operator works with
// the rights that they give and no other.
package install
