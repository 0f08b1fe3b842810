// Package controller makes TrustBuilder MFA match what MFAUser manifests say. Read mfauser_controller.go first: a pass is
// a table of contents of small steps, one file each (step_*.go), and one finish that turns their outcome into status.
// mfaconnection_controller.go keeps the connections: token, listing, readiness. What a connection is in memory, shared by
// all its users, is in connection.go.
package controller
