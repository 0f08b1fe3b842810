package mfasim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// apiError is a refusal as the contract spells it (A).
type apiError struct {
	status  int
	Code    string `json:"error"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func refuse(status int, code, message string) *apiError {
	return &apiError{status: status, Code: code, Message: message}
}

// reply is an answer that is finished but not yet sent: faults still may cut it, replace it or lose it.
type reply struct {
	status int
	body   []byte
}

// newReply turns what a handler returned into an answer.
func newReply(ok int, body any, err error) reply {
	if err != nil {
		refusal, known := errors.AsType[*apiError](err)
		if !known {
			refusal = refuse(http.StatusInternalServerError, "INTERNAL", err.Error())
		}
		ok, body = refusal.status, refusal
	}
	if ok == http.StatusNoContent {
		return reply{status: ok}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: ok, body: data}
}

// send writes the answer with the Content-Length of what is really sent.
func (a reply) send(w http.ResponseWriter) {
	if a.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if len(a.body) > 0 {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that hung up is its own affair
}

// decode reads a request body that must be one JSON object. Unknown fields are ignored, as the contract says.
func decode(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "MALFORMED_BODY", "the body is not the JSON object that this operation takes")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, "MALFORMED_BODY", "there is more in the body than one JSON object")
	}
	return nil
}
