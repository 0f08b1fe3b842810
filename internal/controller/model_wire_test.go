package controller

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// wireCall is one call of the operator that changes something, as it is when it arrives.
type wireCall struct {
	op      string
	account mfasim.Account // the one that it is about, as it was before; the login alone for a creation
	group   string
	body    map[string]any
}

// maxCalls is how many calls one pass may need.
const maxCalls = 100

func (c *wireCall) id() string { return c.account.ID.String() }

// wire stands between the operator and the service: it judges every write before it is carried out, and notes what came of it.
func (m *modelWorld) wire(out http.ResponseWriter, r *http.Request, sim http.Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dies, late := m.dies()
	if m.calls++; m.calls == maxCalls {
		m.blame("a pass without an end")
		dies, late, m.dead = true, false, true
	}
	if dies && !late {
		panic(http.ErrAbortHandler)
	}
	data, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	call := m.readCall(r, data)
	if call != nil {
		m.judge(call)
	}
	issued, mails := 0, 0
	if call != nil {
		issued, mails = m.sim.CodesIssued(call.account.Login), len(m.sim.Outbox())
	}
	answer := httptest.NewRecorder()
	heard := answered(sim, answer, r) && !dies
	if call != nil {
		heard = heard && answer.Code < 300 && (answer.Body.Len() == 0 || json.Valid(answer.Body.Bytes()))
		m.note(call, m.sim.CodesIssued(call.account.Login) > issued, len(m.sim.Outbox()) > mails, heard)
	}
	if dies || answer.Code == 0 {
		panic(http.ErrAbortHandler)
	}
	pass(out, answer)
}

// answered lets the simulator answer; false when it broke the connection instead.
func answered(sim http.Handler, answer *httptest.ResponseRecorder, r *http.Request) (ok bool) {
	defer func() {
		if recover() != nil {
			answer.Code = 0
		}
	}()
	sim.ServeHTTP(answer, r)
	return true
}

func pass(out http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		out.Header()[name] = values
	}
	out.WriteHeader(answer.Code)
	_, _ = out.Write(answer.Body.Bytes())
}

// readCall tells what a request is about; nil for one that changes nothing.
func (m *modelWorld) readCall(r *http.Request, data []byte) *wireCall {
	if r.Method == http.MethodGet {
		return nil
	}
	call := &wireCall{body: map[string]any{}}
	_ = json.Unmarshal(data, &call.body)
	_, path, _ := strings.Cut(r.URL.Path, "/services/")
	parts := strings.Split(path, "/")
	id := ""
	switch {
	case parts[0] == "groups" && len(parts) == 4:
		call.op, call.group, id = r.Method+" membership", m.groups[parts[1]], parts[3]
	case len(parts) == 1:
		call.op = "create"
		call.account.Login, _ = call.body["login"].(string)
		return call
	default:
		call.op, id = r.Method+" "+strings.Join(parts[2:], "/"), parts[1]
	}
	account, exists := m.accountByID(id)
	if !exists {
		return nil // the service refuses it
	}
	call.account = account
	return call
}

// note keeps what came of a call. heard is false when the operator may not know.
func (m *modelWorld) note(call *wireCall, issued, mailed, heard bool) {
	a := m.current
	if a == nil {
		return
	}
	switch {
	case call.op == "create" && issued:
		m.noteCreation(a, call, heard)
	case call.op == "POST codes" && issued:
		m.noteIssue(a, call, heard)
	case call.op == "POST codes/activate" && heard && a.last != nil:
		a.last.switchedOn, a.last.expires = true, m.now().Add(15*time.Minute)
	case call.op == "POST codes/send" && mailed && heard && a.last != nil:
		a.last.mailed = true
		last := a.last
		m.unheard = append(m.unheard, func() { last.mailed = false })
	case call.op == "POST pin-errors/reset" && heard:
		taken := m.take(a, "-", call.account)
		a.open = slices.DeleteFunc(a.open, func(r *request) bool { return r == taken })
		m.unheard = append(m.unheard, func() { a.open = append(a.open, taken) })
	}
	if call.body["blocked"] == true {
		m.blocked[call.id()] = true
	}
}

func (m *modelWorld) noteCreation(a *asked, call *wireCall, heard bool) {
	account, _ := m.sim.Account(call.account.Login)
	m.makers[account.ID.String()], m.newborn = a.uid, account.ID.String()
	a.voidRequests() // a creation answers whatever the manifest asks for at the time
	if a.account == "" && a.lost == "" {
		a.highest = a.generation() // what was stated before and taken back was never dealt with
	}
	a.account, a.lost = "", ""
	call.body["purpose"] = "ENROLLMENT"
	created := request{name: "create", purposes: []v1alpha1.CodePurpose{"Enrollment"}, byMail: byEmail(a.spec.Code.Delivery), at: m.now()}
	m.noteCode(a, call, created, heard, a.generation() > 0)
}

func (m *modelWorld) noteIssue(a *asked, call *wireCall, heard bool) {
	purpose, _ := call.body["purpose"].(string)
	taken := m.take(a, purpose, call.account)
	if taken == nil {
		return // judged already
	}
	a.open = slices.DeleteFunc(a.open, func(r *request) bool { return r == taken })
	m.noteCode(a, call, *taken, heard, true)
}

var modelLifetimes = []time.Duration{15 * time.Minute, 504 * time.Hour, 504 * time.Hour}

// noteCode keeps a code that was issued. One whose answer the operator has not heard, or loses, is asked for once more.
func (m *modelWorld) noteCode(a *asked, call *wireCall, request request, heard, wanted bool) {
	if wanted {
		a.issued = append(a.issued, m.now())
	}
	codeType, _ := call.body["codeType"].(float64)
	purpose, _ := call.body["purpose"].(string)
	a.last = &modelCode{request: request, purpose: purpose, codeType: int(codeType), expires: m.now().Add(modelLifetimes[int(codeType)]).Truncate(time.Second)}
	delete(m.meddled, a.login())
	if value, live := m.sim.LiveCode(a.login()); live {
		m.codes[value] = true
	}
	again := request
	again.again, again.fits = true, false
	value, _ := m.sim.LiveCode(a.login())
	lose := func() {
		if secret := m.codeSecret(a.key); secret != nil && value != "" {
			again.stored = string(secret.Data[v1alpha1.KeyCode]) == value
		}
		if wanted {
			a.open = append(a.open, &again)
		}
	}
	if !heard && !m.dead {
		lose()
	} else {
		m.unheard = append(m.unheard, lose)
	}
}
