// Package doctor looks for what keeps the operator, or the caller of kubectl mfa, from working: in the cluster, its CRDs, the
// caller's rights, the manager, and each connection. It reads, with the caller's own rights, and changes nothing.
package doctor
