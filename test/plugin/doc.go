// Package plugin holds the tests of kubectl mfa as its user sees it: against a real API server, the simulated service by TLS, the
// operator at work where it takes one, and a pseudo-terminal where a person would look.
package plugin
