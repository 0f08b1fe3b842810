package mfaclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"
)

// Limits of an answer's body, in bytes.
const (
	maxBody    = 1 << 20
	maxListing = 8 << 20
	maxDrain   = 64 << 10 // of the body of an error, which is thrown away to keep the connection
)

// request is one call in our words.
type request struct {
	operation string
	path      map[string]string // values of the placeholders
	query     url.Values
	body      map[string]any // wire names; nil for none
}

// do is the one place where calls are made. decode gets the answer's object; it is nil for calls whose answer says nothing.
func (c *Client) do(ctx context.Context, q request, decode func(*object)) error {
	route := c.routes.operations[q.operation]
	path, ok := fillPath(route.Path, q.path)
	if !ok {
		return &Error{Kind: KindInvalid, Operation: q.operation, Reason: "an id is empty or no part of a path"}
	}
	if err := c.gate.Wait(ctx); err != nil {
		return waitError(q.operation, err)
	}
	if c.mayCall() != nil {
		return &Error{Kind: KindUnavailable, Operation: q.operation, Reason: reasonMayNotCall}
	}
	start := c.clock.Now()
	status, fault := c.exchange(ctx, route, path, q, decode)
	call := Call{Operation: q.operation, Outcome: "ok", Status: status, Duration: c.clock.Since(start)}
	if fault == nil {
		c.gate.wentWell(q.operation)
		c.observe(call)
		return nil
	}
	fault.Operation, fault.Status = q.operation, status
	call.Outcome = fault.Kind.String()
	c.observe(call)
	return fault
}

// exchange sends the request and reads the answer within the time-out. The status is 0 when there was no answer.
func (c *Client) exchange(ctx context.Context, route Route, path string, q request, decode func(*object)) (int, *Error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// Once there is a connection, a failure may come after the service read the request.
	sent := false
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}
	req, err := c.newRequest(httptrace.WithClientTrace(ctx, trace), route.Method, path, q)
	if err != nil {
		return 0, &Error{Kind: KindInvalid, Reason: "the request cannot be written"}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		fault := transportError(ctx, err)
		fault.Unclear = sent && !route.idempotent
		return 0, fault
	}
	defer func() { _ = resp.Body.Close() }()
	fault := c.statusFault(q.operation, resp)
	if fault == nil {
		fault = c.readAnswer(resp, route, decode)
	} else if resp.StatusCode >= http.StatusBadRequest {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	}
	// Half an answer may look complete when our own hanging up ended it, and so may one that says nothing: a server that ends
	// its work when its client goes may answer 200, and net/http may still hand that over.
	if ctx.Err() != nil && (fault == nil && decode == nil || fault != nil && fault.Kind == KindMalformed) {
		fault = transportError(ctx, ctx.Err())
	}
	if fault != nil {
		fault.Unclear = !route.idempotent && leavesOpen(fault.Kind, resp.StatusCode)
	}
	return resp.StatusCode, fault
}

// leavesOpen tells whether an answer leaves open if the request was carried out. A 503 is a refusal, other 5xx are not.
func leavesOpen(kind Kind, status int) bool {
	return kind == KindMalformed || kind == KindUnavailable && status != http.StatusServiceUnavailable
}

func (c *Client) newRequest(ctx context.Context, method, path string, q request) (*http.Request, error) {
	target := c.base.String() + path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	var payload io.Reader
	if q.body != nil {
		data, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return nil, err
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Authorization", "Bearer "+c.token.reveal())
	return req, nil
}

// fillPath puts the values into the template, each as one path segment. Dots alone cannot be escaped, so they are refused.
func fillPath(template string, values map[string]string) (string, bool) {
	for name, value := range values {
		if value == "" || value == "." || value == ".." {
			return "", false
		}
		template = strings.ReplaceAll(template, "{"+name+"}", url.PathEscape(value))
	}
	return template, true
}

// readAnswer reads the body of a 2xx, within its limit, and decodes it.
func (c *Client) readAnswer(resp *http.Response, route Route, decode func(*object)) *Error {
	limit := int64(maxBody)
	if route.listing {
		limit = maxListing
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return &Error{Kind: KindMalformed, Reason: reasonCutShort}
	}
	if int64(len(data)) > limit {
		return &Error{Kind: KindMalformed, Reason: reasonTooLong}
	}
	data = bytes.TrimSpace(data)
	if fault := nokFault(data); fault != nil {
		return fault
	}
	if decode == nil {
		if len(data) > 0 && !json.Valid(data) {
			return &Error{Kind: KindMalformed, Reason: reasonNotJSON}
		}
		return nil
	}
	o := c.routes.names.object(data)
	if o.err == nil {
		decode(o)
	}
	if o.err != nil {
		return &Error{Kind: KindMalformed, Reason: o.err.Error()}
	}
	return nil
}

// waitError gives an error of the gate the operation's name.
func waitError(operation string, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Kind: e.Kind, Operation: operation, RetryAfter: e.RetryAfter, Reason: e.Reason}
	}
	return &Error{Kind: KindUnavailable, Operation: operation, Reason: "ended while waiting for a turn", cause: contextCause(err)}
}

// pause closes the gate and returns for how long it is closed now, which an earlier answer may have made longer.
func (c *Client) pause(operation string, d time.Duration) time.Duration {
	c.gate.slowDown(operation, d)
	return c.gate.PausedFor()
}
