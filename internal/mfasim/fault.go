package mfasim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of fault. "Not done" means that the call changes nothing; with the others the tenant has done the work when the client sees the trouble.
const (
	FaultStatus       FaultKind = "status"       // answers Status, Body and RetryAfter; not done
	FaultLatency      FaultKind = "latency"      // waits Latency on the real clock, then goes on as usual; adds to any other fault
	FaultNotJSON      FaultKind = "notJSON"      // answers 200 with an HTML page, like a gateway in between; not done
	FaultNOKBody      FaultKind = "nokBody"      // answers 200 with Body, default NOK:full, the older API's habit; not done
	FaultRedirect     FaultKind = "redirect"     // answers 307 to Location; not done
	FaultResetBefore  FaultKind = "resetBefore"  // closes the connection; not done. (Go's client repeats a GET by itself when the connection was a used one)
	FaultHang         FaultKind = "hang"         // never answers, until the client gives up; not done
	FaultResetAfter   FaultKind = "resetAfter"   // does the work, then closes the connection without an answer
	FaultCutBody      FaultKind = "cutBody"      // half the JSON, with a Content-Length that agrees
	FaultEndlessBody  FaultKind = "endlessBody"  // starts well and never ends
	FaultEmptyListing FaultKind = "emptyListing" // any listing answers that there is nothing
	FaultRepeatPage   FaultKind = "repeatPage"   // any listing answers its first page again and again, with hasMore true
	FaultPageShift    FaultKind = "pageShift"    // before a page of accounts after the first, an account goes (ShiftAdd: comes) ahead of the boundary
)

var faultKinds = []FaultKind{
	FaultStatus, FaultLatency, FaultNotJSON, FaultNOKBody, FaultRedirect, FaultResetBefore, FaultHang, FaultResetAfter,
	FaultCutBody, FaultEndlessBody, FaultEmptyListing, FaultRepeatPage, FaultPageShift,
}

// Fault is a rule for trouble. Several may be set; of those that fit a call the oldest acts, and every fitting latency besides.
type Fault struct {
	Operation    string        `json:"operation"`    // as in Operations; empty: all, unknown ones included
	AccountLogin string        `json:"accountLogin"` // only calls on this account; empty: all
	Probability  float64       `json:"probability"`  // above 0 up to 1; default 1
	Count        int           `json:"count"`        // acts this many times and is gone; 0: until ClearFaults
	Kind         FaultKind     `json:"kind"`
	Status       int           `json:"status"` // default 500
	Body         string        `json:"body"`   // default an error body as the contract spells it
	RetryAfter   string        `json:"retryAfter"`
	Latency      time.Duration `json:"-"`
	Location     string        `json:"location"`
	ShiftLogin   string        `json:"shiftLogin"` // who goes or comes; default the first plain user, or "shifted-<id>@example.com"
	ShiftAdd     bool          `json:"shiftAdd"`
}

func (f Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("no such kind of fault: %q", f.Kind)
	case f.Operation != "" && f.Operation != Unknown && !slices.Contains(Operations(), f.Operation):
		return fmt.Errorf("no such operation: %q", f.Operation)
	case f.Probability < 0 || f.Probability > 1 || f.Count < 0:
		return fmt.Errorf("probability must be between 0 and 1, count at least 0")
	case f.Kind == FaultStatus && f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status must be between 200 and 599")
	}
	return nil
}

// SetFault adds a fault. It panics on one that can never act, for a test would pass because of the slip.
func (s *Service) SetFault(f Fault) {
	if err := f.check(); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults ends all faults. Calls that hang already go on hanging.
func (s *Service) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFaults finds the faults that act on a call, counts them down, and returns how long to wait.
func (s *Service) takeFaults(c *call) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range slices.Clone(s.faults) {
		taken := f.Kind != FaultLatency && c.fault != nil
		if taken || !s.fits(f, c) || !s.roll(f) {
			continue
		}
		if f.Kind == FaultLatency {
			wait += f.Latency
		} else {
			c.fault = f
		}
		s.countDown(f)
	}
	return wait
}

func (s *Service) fits(f *Fault, c *call) bool {
	if f.Operation != "" && f.Operation != c.op {
		return false
	}
	if f.AccountLogin != "" && loginKey(f.AccountLogin) != loginKey(s.loginOf(c)) {
		return false
	}
	switch f.Kind {
	case FaultPageShift:
		page := c.r.URL.Query().Get("page")
		return c.op == "ListAccounts" && page != "" && page != "0"
	case FaultEmptyListing, FaultRepeatPage:
		return strings.HasPrefix(c.op, "List")
	}
	return true
}

// loginOf is the account that a call is about: by its path, or for a creation by its body.
func (s *Service) loginOf(c *call) string {
	var in struct {
		Login string `json:"login"`
	}
	if a, err := s.account(c); err == nil {
		return a.Login
	}
	if c.op == "CreateAccount" {
		_ = json.Unmarshal(c.body, &in) // a body that is no JSON names nobody
	}
	return in.Login
}

func (s *Service) roll(f *Fault) bool { return f.Probability == 0 || s.dice.Float64() < f.Probability }

func (s *Service) countDown(f *Fault) {
	if f.Count == 0 {
		return
	}
	if f.Count--; f.Count == 0 {
		s.faults = slices.DeleteFunc(s.faults, func(other *Fault) bool { return other == f })
	}
}
