// Package mfasim is TrustBuilder MFA, simulated: an http.Handler that speaks the wire contract of the customer endpoints and keeps accounts, codes,
// devices, groups and an audit trail in memory. Time comes from an injected clock, trouble from faults, and the end user is played by method calls or under
// /_sim/ by HTTP. It knows neither the operator's client nor Kubernetes, so that a mistake made on one side of the wire cannot cancel out on the other.
package mfasim
