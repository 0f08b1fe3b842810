package mfasim_test

import (
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// Every operation of the contract is reachable by its method and path, and counts under its name.
func TestCallsCountByOperation(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.token = "" // a refused call counts as well
	for _, call := range []struct{ op, method, path string }{
		{"ListAccounts", "GET", root + "/accounts"},
		{"CreateAccount", "POST", root + "/accounts"},
		{"GetAccount", "GET", root + "/accounts/1"},
		{"UpdateAccount", "PATCH", root + "/accounts/1"},
		{"DeleteAccount", "DELETE", root + "/accounts/1"},
		{"IssueCode", "POST", root + "/accounts/1/codes"},
		{"ActivateCode", "POST", root + "/accounts/1/codes/activate"},
		{"SendCode", "POST", root + "/accounts/1/codes/send"},
		{"ResetPINErrors", "POST", root + "/accounts/1/pin-errors/reset"},
		{"ListDevices", "GET", root + "/accounts/1/devices"},
		{"DeleteDevice", "DELETE", root + "/accounts/1/devices/2"},
		{"ListGroups", "GET", root + "/groups"},
		{"ListAccountGroups", "GET", root + "/accounts/1/groups"},
		{"PutMembership", "PUT", root + "/groups/2/accounts/1"},
		{"DeleteMembership", "DELETE", root + "/groups/2/accounts/1"},
		{"ExportAudit", "GET", "/audit/v2/customer/export/online"},
		{mfasim.Unknown, "PUT", root + "/accounts/1"},
		{mfasim.Unknown, "GET", "/"},
	} {
		w.ResetCalls()
		status, _ := w.raw(call.method, call.path, "")
		w.Expect(status).To(Equal(http.StatusUnauthorized))
		w.Expect(w.Calls()).To(Equal(map[string]int{call.op: 1}), call.path)
	}
	w.Expect(mfasim.Operations()).To(HaveLen(16))
}

func TestUnknownCalls(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.refused(404, "NOT_FOUND", "GET", "/nowhere", "")
	w.refused(404, "NOT_FOUND", "PUT", "/accounts", "")
	w.Expect(w.Calls()).To(Equal(map[string]int{mfasim.Unknown: 2}))
}

func TestOnCallStandsBeforeAndAfterTheWork(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	var seen []string
	w.OnCall(func(op string, phase mfasim.Phase) {
		_, made := w.Account("bob")
		seen = append(seen, op+" "+string(phase))
		w.Expect(made).To(Equal(phase == mfasim.After))
	})
	w.create("bob", "0")
	w.Expect(seen).To(Equal([]string{"CreateAccount before", "CreateAccount after"}))

	seen = nil
	w.OnCall(func(_ string, phase mfasim.Phase) { seen = append(seen, string(phase)) })
	w.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Count: 1})
	w.must(500, "GET", "/accounts", "")
	w.Expect(seen).To(Equal([]string{"before"}), "no work, no after")

	w.OnCall(nil)
	w.must(200, "GET", "/accounts", "")
	w.Expect(seen).To(HaveLen(1))
}

// A hook may set the fault that hits the very call it sees.
func TestOnCallMaySetAFault(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.OnCall(func(_ string, phase mfasim.Phase) {
		if phase == mfasim.Before {
			w.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Status: 418, Count: 1})
		}
	})
	status, _ := w.call("GET", "/accounts", "")
	w.Expect(status).To(Equal(418))
}

func TestABodyThatIsTooLong(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.refused(400, "MALFORMED_BODY", "POST", "/accounts", `{"login":"`+strings.Repeat("x", 1<<20)+`"}`)
}
