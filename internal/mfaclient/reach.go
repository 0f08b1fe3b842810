package mfaclient

import (
	"context"
	"io"
	"net/http"
)

// Reach tells whether a service answers by TLS with a certificate that is trusted, and nothing else: the request carries no
// token, and any answer will do. The error is a fixed sentence.
func Reach(ctx context.Context, baseURL string, caBundle []byte) error {
	base, err := parseBase(baseURL)
	if err != nil {
		return err
	}
	roots, err := rootCAs(caBundle)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String(), http.NoBody)
	if err != nil {
		return &Error{Kind: KindInvalid, Operation: opReach, Reason: "the URL cannot be read"}
	}
	client := newHTTPClient(roots)
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		unreached := transportError(ctx, err)
		unreached.Operation = opReach
		return unreached
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxHeader) // its content says nothing to us
	return resp.Body.Close()
}

// opReach names Reach in errors. It is no operation of the API.
const opReach = "Reach"
