// Package plugin is kubectl mfa: the commands, their flags and what they print. What they decide is elsewhere: internal/export
// makes manifests of accounts, internal/plan says what the operator would do, and internal/doctor looks for what is wrong.
//
// Codes and tokens are read with the caller's own rights, kept in types that do not print, and shown by one command alone.
package plugin
