// Package rules decides what a manifest asks of an account: which fields differ, what the connection's policy allows, whose
// account it is, which code is asked for. Its functions know the manifest, the connection and the account, and call nobody:
// the operator acts by them, and kubectl mfa says beforehand what it would do.
package rules
