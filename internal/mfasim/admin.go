package mfasim

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// adminHelp is what GET /_sim/ answers.
const adminHelp = `TrustBuilder MFA, simulated. This side is the simulator's own, takes and gives JSON, and needs no token.

GET    /_sim/state                             all accounts with their live codes
GET    /_sim/accounts/{login}                  one account with its live code, devices and groups
PATCH  /_sim/accounts/{login}  {"email":…}     edit it as in the console; "status" puts it in that state
DELETE /_sim/accounts/{login}                  delete it as in the console
POST   /_sim/seed              {"count":N,"prefix":"x"} activated accounts, or {"login":…} just one, with any of its fields
POST   /_sim/groups            {"name":"staff"} make a group; with "login" and "role" put an account in it, empty role: out
POST   /_sim/use-code          {"code":…} or {"link":…}: the end user uses it
POST   /_sim/authenticate      {"login":…}     the end user signs in
POST   /_sim/mistype-pin       {"login":…}     the end user gets the PIN wrong; three times lock the account
POST   /_sim/devices           {"login":…}     the end user enrols one more device
GET    /_sim/devices?login=…                   the devices of an account
GET    /_sim/outbox                            mails sent
POST   /_sim/tokens            {"admin":…,"life":"1h"} a new token; {"opaque":…} lets one in; {"revoke":…} ends one
GET    /_sim/clock                             the time here
POST   /_sim/clock             {"advance":"10m"} moves it
GET    /_sim/calls                             calls per operation; DELETE starts the count anew
POST   /_sim/faults            {"operation":"CreateAccount","kind":"status","status":429,"retryAfter":"7","count":1}
DELETE /_sim/faults                            end all faults
       kinds: status latency ("latency":"2s") notJSON nokBody redirect ("location") resetBefore hang resetAfter cutBody
       endlessBody emptyListing repeatPage pageShift ("shiftLogin","shiftAdd"); also "accountLogin","probability","count"
`

// routeAdmin mounts the simulator's own side. It stands beside the API: no token, no fault and no count touches it.
func (s *Service) routeAdmin() {
	s.mux.HandleFunc("GET /_sim/{$}", func(w http.ResponseWriter, _ *http.Request) {
		sendText(w, http.StatusOK, "text/plain; charset=utf-8", adminHelp)
	})
	for pattern, handle := range map[string]func(*adminCall) (any, error){
		"GET /_sim/state":               s.adminState,
		"GET /_sim/accounts/{login}":    s.adminAccount,
		"PATCH /_sim/accounts/{login}":  s.adminEdit,
		"DELETE /_sim/accounts/{login}": s.adminDelete,
		"POST /_sim/seed":               s.adminSeed,
		"POST /_sim/groups":             s.adminGroup,
		"POST /_sim/use-code":           s.adminUseCode,
		"POST /_sim/authenticate":       s.adminAuthenticate,
		"POST /_sim/mistype-pin":        s.adminMistypePIN,
		"POST /_sim/devices":            s.adminAddDevice,
		"GET /_sim/devices":             s.adminDevices,
		"GET /_sim/outbox":              func(*adminCall) (any, error) { return s.Outbox(), nil },
		"POST /_sim/tokens":             s.adminToken,
		"GET /_sim/clock":               s.adminNow,
		"POST /_sim/clock":              s.adminAdvance,
		"GET /_sim/calls":               func(*adminCall) (any, error) { return s.Calls(), nil },
		"DELETE /_sim/calls":            func(*adminCall) (any, error) { s.ResetCalls(); return nil, nil },
		"POST /_sim/faults":             s.adminFault,
		"DELETE /_sim/faults":           func(*adminCall) (any, error) { s.ClearFaults(); return nil, nil },
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serveAdmin(w, r, handle) })
	}
	s.mux.HandleFunc("/_sim/", func(w http.ResponseWriter, _ *http.Request) {
		newReply(0, nil, refuse(http.StatusNotFound, "NOT_FOUND", "see GET /_sim/ for what there is")).send(w)
	})
}

// adminCall is a request to the simulator's own side.
type adminCall struct {
	r    *http.Request
	body []byte
}

func (c *adminCall) read(into any) error { return decode(c.body, into) }

// serveAdmin answers 200 with what the handler returns, 204 when that is nothing, and 400 with the reason when it fails.
func serveAdmin(w http.ResponseWriter, r *http.Request, handle func(*adminCall) (any, error)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var out any
	if err == nil {
		out, err = handle(&adminCall{r: r, body: body})
	}
	if err != nil {
		err = refuse(http.StatusBadRequest, "BAD_REQUEST", err.Error())
	}
	ok := http.StatusOK
	if out == nil {
		ok = http.StatusNoContent
	}
	newReply(ok, out, err).send(w)
}

func parseDuration(name, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s must be a duration such as 10m", name)
	}
	return d, nil
}
