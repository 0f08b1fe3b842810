// Package api holds the tests of the API itself: what the real API server makes of the CRDs, roles and manifests in
// config, and of the docs' command for a new token. No controller runs here.
package api
