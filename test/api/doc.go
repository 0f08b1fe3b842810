// Package api holds the tests of the API itself: what the real API server makes of the CRDs, roles and manifests in
// config. No controller runs here.
package api
