package mfaclient

import (
	"encoding/json"
	"net/http"
	"strings"
)

// statusKinds are the statuses with a meaning of their own. A 408 is a time-out that the other side noticed first.
var statusKinds = map[int]Kind{
	http.StatusUnauthorized:   KindUnauthenticated,
	http.StatusForbidden:      KindDenied,
	http.StatusNotFound:       KindNotFound,
	http.StatusConflict:       KindConflict,
	http.StatusRequestTimeout: KindUnavailable,
}

// statusFault turns every status but 2xx into an error. Bodies of errors are never read: they may repeat secrets.
func (c *Client) statusFault(operation string, resp *http.Response) *Error {
	if kind, ok := statusKinds[resp.StatusCode]; ok {
		return &Error{Kind: kind}
	}
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return c.slowDown(operation, resp)
	case status >= 500:
		return &Error{Kind: KindUnavailable}
	case status >= 400:
		return &Error{Kind: KindInvalid}
	case status >= 300:
		return &Error{Kind: KindMalformed, Reason: redirectReason(resp)}
	case status < 200:
		return &Error{Kind: KindMalformed, Reason: "the service wants another protocol"}
	}
	return nil
}

// slowDown pauses all calls. A 503 that does not say for how long is an outage rather than a limit.
func (c *Client) slowDown(operation string, resp *http.Response) *Error {
	header := resp.Header.Get("Retry-After")
	kind := KindRateLimited
	if resp.StatusCode == http.StatusServiceUnavailable && header == "" {
		kind = KindUnavailable
	}
	return &Error{Kind: kind, RetryAfter: c.pause(operation, retryAfter(header, c.clock.Now()))}
}

func redirectReason(resp *http.Response) string {
	target, err := resp.Location()
	if err == nil && !sameHost(target, resp.Request.URL) {
		return reasonRedirectedOut
	}
	return reasonRedirected
}

// nokFault knows the older API's habit of answering 200 with a text, or a field err, that starts with NOK.
func nokFault(data []byte) *Error {
	text := string(data)
	var object struct {
		Err json.RawMessage `json:"err"`
	}
	var plain string
	switch {
	case json.Unmarshal(data, &object) == nil:
		text, _ = scalar(object.Err)
	case json.Unmarshal(data, &plain) == nil:
		text = plain
	}
	text = strings.ToLower(strings.TrimSpace(text))
	switch {
	case !strings.HasPrefix(text, "nok"):
		return nil
	case strings.HasPrefix(text, "nok:full"):
		return &Error{Kind: KindQuotaExceeded, Reason: "the service has no room for more accounts"}
	case strings.HasPrefix(text, "nok:loginexists"), strings.HasPrefix(text, "nok:login already used"):
		return &Error{Kind: KindConflict, Reason: "the login is taken"}
	default:
		return &Error{Kind: KindInvalid, Reason: "the service answered NOK"}
	}
}
