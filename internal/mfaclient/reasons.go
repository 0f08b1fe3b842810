package mfaclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
)

// The sentences a condition may show. They tell what is wrong without repeating anything the other side said.
const (
	reasonPaused        = "the service asked to slow down"
	reasonMayNotCall    = "another manager may lead by now"
	reasonTimeout       = "timed out"
	reasonCancelled     = "cancelled"
	reasonNoHost        = "host not found"
	reasonRefused       = "connection refused"
	reasonUnreachable   = "host not reachable"
	reasonClosed        = "connection closed before an answer"
	reasonUntrusted     = "certificate not trusted"
	reasonWrongName     = "certificate is for another host"
	reasonCertExpired   = "certificate expired or not yet valid"
	reasonTLS           = "no TLS connection could be made"
	reasonConnection    = "connection failed"
	reasonRedirected    = "redirected"
	reasonRedirectedOut = "redirected to another host"
	reasonNotJSON       = "the answer is not JSON"
	reasonCutShort      = "the answer was cut short"
	reasonTooLong       = "the answer is too long"
)

// transportError reduces a failure without an answer to one of our sentences: the text of a *url.Error holds the URL.
func transportError(ctx context.Context, err error) *Error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		reason := reasonTimeout
		if errors.Is(ctxErr, context.Canceled) {
			reason = reasonCancelled
		}
		return &Error{Kind: KindUnavailable, Reason: reason, cause: contextCause(ctxErr)}
	}
	return &Error{Kind: KindUnavailable, Reason: transportReason(err)}
}

// contextCause keeps the two errors of a context and nothing else, so that Unwrap leads to no foreign text.
func contextCause(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}

func transportReason(err error) string {
	if reason := tlsReason(err); reason != "" {
		return reason
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return reasonNoHost
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return reasonTimeout
	}
	for target, reason := range map[error]string{
		syscall.ECONNREFUSED: reasonRefused,
		syscall.EHOSTUNREACH: reasonUnreachable,
		syscall.ENETUNREACH:  reasonUnreachable,
		syscall.ECONNRESET:   reasonClosed,
		syscall.EPIPE:        reasonClosed,
		io.EOF:               reasonClosed,
		io.ErrUnexpectedEOF:  reasonClosed,
	} {
		if errors.Is(err, target) {
			return reason
		}
	}
	return reasonConnection
}

func tlsReason(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return reasonUntrusted
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return reasonWrongName
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return reasonCertExpired
		}
		return reasonUntrusted
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return reasonUntrusted
	}
	// The alerts of crypto/tls have no exported type; they come in an OpError with one of these words.
	op, ok := errors.AsType[*net.OpError](err)
	alert := ok && (op.Op == "remote error" || op.Op == "local error")
	_, record := errors.AsType[tls.RecordHeaderError](err)
	if alert || record || errors.Is(err, http.ErrSchemeMismatch) {
		return reasonTLS
	}
	return ""
}
