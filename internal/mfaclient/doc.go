// Package mfaclient speaks the customer API of TrustBuilder MFA.
//
// Every call goes through one function (do in do.go), which owns the time-out, the rate limit, the size limits and the
// translation of failures into an [Error] with a [Kind]. Each resource has its own file, and everything that is not
// certain about the remote side (methods, paths, field names, spellings) stands in the tables of routes.go and names.go,
// each row with its mark: documented by the vendor, seen in its sample code, or assumed. A file can override any of them.
//
// Secrets are types that do not print themselves ([Token], [Code]). No error holds a URL, a header, a body, an id or a
// login, so an error text may go into a condition, an event or a log as it is.
package mfaclient
