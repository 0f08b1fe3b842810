package mfasim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// delay takes the call's faults and waits out their latency.
func (s *Service) delay(c *call) {
	wait := s.takeFaults(c)
	if wait == 0 {
		return
	}
	// The real clock on purpose: latency is a property of the network, and nobody steps a fake clock while a call is under way.
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.r.Context().Done():
		hangUp()
	}
}

// hangUp closes the connection, in net/http's own way. A handler that returns answers 200, also to a client that has given up:
// its call may still see that and take for done what is not.
func hangUp() { panic(http.ErrAbortHandler) }

// answerInstead answers a call whose fault leaves the work undone; false when the work is to be done.
func (c *call) answerInstead(w http.ResponseWriter) bool {
	if c.fault == nil {
		return false
	}
	switch f := c.fault; f.Kind {
	case FaultStatus:
		f.sendStatus(w)
	case FaultNotJSON:
		sendText(w, http.StatusOK, "text/html", "<html><body><h1>Please sign in</h1></body></html>")
	case FaultNOKBody:
		body := cmp.Or(f.Body, "NOK:full")
		sendText(w, http.StatusOK, contentType(body), body)
	case FaultRedirect:
		w.Header().Set("Location", f.Location)
		w.WriteHeader(http.StatusTemporaryRedirect) // 307 keeps method and body: the worst case for a client that follows
	case FaultResetBefore:
		hangUp()
	case FaultHang:
		<-c.r.Context().Done()
		hangUp()
	default:
		return false
	}
	return true
}

// answer sends what the work came to, or what the call's fault makes of it.
func (c *call) answer(w http.ResponseWriter, done reply) {
	switch {
	case c.faulty(FaultResetAfter):
		hangUp()
	case c.faulty(FaultCutBody):
		done.body = done.body[:len(done.body)/2]
		done.send(w)
	case c.faulty(FaultEndlessBody):
		sendEndless(c.r.Context(), w, done.status)
	default:
		done.send(w)
	}
}

func (f *Fault) sendStatus(w http.ResponseWriter) {
	status := cmp.Or(f.Status, http.StatusInternalServerError)
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	body := f.Body
	if body == "" {
		code := strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
		data, _ := json.Marshal(refuse(status, code, "made up by a fault")) // two strings always marshal
		body = string(data)
	}
	sendText(w, status, contentType(body), body)
}

func contentType(body string) string {
	if json.Valid([]byte(body)) {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

func sendText(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that hung up is its own affair
}

// sendEndless writes valid JSON that never comes to its end, so that only a bounded read gets away.
func sendEndless(ctx context.Context, w http.ResponseWriter, status int) {
	if status == http.StatusNoContent {
		status = http.StatusOK // 204 allows no body at all
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	chunk := bytes.Repeat([]byte(`{"id":0},`), 4096)
	_, err := w.Write([]byte(`{"content":[`))
	for err == nil && ctx.Err() == nil {
		_, err = w.Write(chunk)
	}
}
