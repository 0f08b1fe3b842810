// Package export makes manifests of accounts that exist already: MFAUsers that observe and may adopt, with names that depend on
// the login alone. It calls nobody, and an account has no code to give away.
package export
