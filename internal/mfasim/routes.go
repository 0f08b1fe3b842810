package mfasim

import "net/http"

// Unknown is the name under which requests count that are no operation of the contract.
const Unknown = "Unknown"

const (
	root        = "/auth/v1/customer/services"
	accountRoot = root + "/accounts/{account}"
)

// route binds one operation of the contract to its handler. A handler runs with the lock held and returns what to answer;
// ok is the status of a success.
type route struct {
	op      string
	pattern string
	ok      int
	handle  func(*Service, *call) (any, error)
}

var routes = []route{
	{"ListAccounts", "GET " + root + "/accounts", http.StatusOK, (*Service).listAccounts},
	{"CreateAccount", "POST " + root + "/accounts", http.StatusCreated, (*Service).createAccount},
	{"GetAccount", "GET " + accountRoot, http.StatusOK, (*Service).getAccount},
	{"UpdateAccount", "PATCH " + accountRoot, http.StatusOK, (*Service).updateAccount},
	{"DeleteAccount", "DELETE " + accountRoot, http.StatusNoContent, (*Service).deleteAccount},
	{"IssueCode", "POST " + accountRoot + "/codes", http.StatusCreated, (*Service).issueCode},
	{"ActivateCode", "POST " + accountRoot + "/codes/activate", http.StatusOK, (*Service).activateCode},
	{"SendCode", "POST " + accountRoot + "/codes/send", http.StatusNoContent, (*Service).sendCode},
	{"ResetPINErrors", "POST " + accountRoot + "/pin-errors/reset", http.StatusNoContent, (*Service).resetPINErrors},
	{"ListDevices", "GET " + accountRoot + "/devices", http.StatusOK, (*Service).listDevices},
	{"DeleteDevice", "DELETE " + accountRoot + "/devices/{device}", http.StatusNoContent, (*Service).deleteDevice},
	{"ListGroups", "GET " + root + "/groups", http.StatusOK, (*Service).listGroups},
	{"ListAccountGroups", "GET " + accountRoot + "/groups", http.StatusOK, (*Service).listAccountGroups},
	{"PutMembership", "PUT " + root + "/groups/{group}/accounts/{account}", http.StatusNoContent, (*Service).putMembership},
	{"DeleteMembership", "DELETE " + root + "/groups/{group}/accounts/{account}", http.StatusNoContent, (*Service).deleteMembership},
	{"ExportAudit", "GET /audit/v2/customer/export/online", http.StatusOK, (*Service).exportAudit},
	// Everything else, a known path with a wrong method included.
	{Unknown, "/", http.StatusNotFound, func(*Service, *call) (any, error) {
		return nil, refuse(http.StatusNotFound, "NOT_FOUND", "no such operation")
	}},
}

// Operations are the names of all operations of the contract, in its order. Calls counts by them.
func Operations() []string {
	names := make([]string, 0, len(routes))
	for _, rt := range routes {
		if rt.op != Unknown {
			names = append(names, rt.op)
		}
	}
	return names
}

func (s *Service) routeAPI() {
	for _, rt := range routes {
		s.mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
	}
}
