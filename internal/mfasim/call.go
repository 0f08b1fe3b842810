package mfasim

import (
	"io"
	"net/http"
)

// maxRequest bounds a request body. No operation of the contract needs more than a few hundred bytes.
const maxRequest = 1 << 20

// Phase tells an OnCall hook where in a call it stands.
type Phase string

// The two moments at which an OnCall hook runs.
const (
	Before Phase = "before" // the request has arrived and is counted; nothing has been done
	After  Phase = "after"  // the work is done; the caller has not heard of it yet
)

// call is one request on its way through the simulator.
type call struct {
	op    string
	r     *http.Request
	body  []byte
	actor actor
	fault *Fault
}

func (c *call) faulty(kind FaultKind) bool { return c.fault != nil && c.fault.Kind == kind }

// OnCall sets a function that runs at each call before the work and after it, so that a test can stop a client at an exact point. It runs without the
// lock and may use every method of Service. After is left out when the work was: a fault answered instead. Nil removes it.
func (s *Service) OnCall(hook func(op string, phase Phase)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onCall = hook
}

// Calls counts the requests since the last ResetCalls by operation, refused and faulty ones included.
// What is no operation of the contract counts as Unknown.
func (s *Service) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.calls))
	for op, n := range s.calls {
		out[op] = n
	}
	return out
}

// ResetCalls starts the count anew.
func (s *Service) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}

// serve is the way of a call: count, faults before the work, the work, faults after it, the answer.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, rt route) {
	// The body is read whole first: only then does net/http notice a client that hangs up, which ends a hanging call.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	c := &call{op: rt.op, r: r, body: body}
	hook := s.count(rt.op)
	hook(rt.op, Before)
	if err != nil {
		newReply(0, nil, refuse(http.StatusBadRequest, "MALFORMED_BODY", "the body is too long or was cut short")).send(w)
		return
	}
	s.delay(c)
	if c.answerInstead(w) {
		return
	}
	answer := s.work(c, rt)
	hook(rt.op, After)
	c.answer(w, answer)
}

// count notes the call and returns the hook of this moment.
func (s *Service) count(op string) func(string, Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[op]++
	if s.onCall == nil {
		return func(string, Phase) {}
	}
	return s.onCall
}

// work checks the token and runs the handler. The answer is spelled out under the lock too, for it may point into the state.
func (s *Service) work(c *call, rt route) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if c.actor, err = s.authenticate(c.r); err != nil {
		return newReply(0, nil, err)
	}
	body, err := rt.handle(s, c)
	return newReply(rt.ok, body, err)
}
