package mfaclient

import (
	"fmt"
	"strings"
	"time"
)

// Kind is what a failed call means to the caller, whatever way the service said it.
type Kind int

// The kinds of failure.
const (
	KindNotFound        Kind = iota + 1 // 404: the account, device or group is gone
	KindConflict                        // 409, or NOK:loginexists: the login is taken
	KindInvalid                         // other 4xx, or another NOK: the request is wrong, repeating it is no use
	KindUnauthenticated                 // 401: the token is wrong or has expired
	KindDenied                          // 403: the token lacks the right
	KindRateLimited                     // 429, 503 with Retry-After, or the gate is paused: nothing was done
	KindUnavailable                     // 5xx, time-out, no connection, cancelled by the caller
	KindMalformed                       // an answer that cannot be understood
	KindQuotaExceeded                   // NOK:full: the service has no room for more accounts
)

var kindNames = map[Kind]string{
	KindNotFound:        "NotFound",
	KindConflict:        "Conflict",
	KindInvalid:         "Invalid",
	KindUnauthenticated: "Unauthenticated",
	KindDenied:          "Denied",
	KindRateLimited:     "RateLimited",
	KindUnavailable:     "Unavailable",
	KindMalformed:       "Malformed",
	KindQuotaExceeded:   "QuotaExceeded",
}

// String returns the name without its prefix, fit for a metric label.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "Unknown"
}

// Error is what every method of [Client] returns when it fails. Its text is made of fixed sentences only.
type Error struct {
	Kind       Kind
	Operation  string        // name in the table of routes
	Status     int           // HTTP status; 0 when there was no answer
	RetryAfter time.Duration // how long the connection is paused; 0 when it is not; at most an hour
	// Unclear says that a request which must not simply be repeated may have been carried out: look before trying again.
	Unclear bool
	Reason  string // one of a fixed set of sentences, such as "host not found"; may be empty

	cause error // context.Canceled, context.DeadlineExceeded or nil; nothing whose text we do not know
}

// Error gives operation, kind, status and reason. It is stable: the same fault has the same text.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Operation, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d)", e.Status)
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	if e.Unclear {
		b.WriteString("; it may have been carried out")
	}
	return b.String()
}

// Unwrap leads to the error of the context, if that ended the call.
func (e *Error) Unwrap() error { return e.cause }
