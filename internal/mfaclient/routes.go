package mfaclient

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Mark says how sure we are of a fact about the remote API.
type Mark string

// The marks.
const (
	Documented Mark = "documented" // by the vendor
	Seen       Mark = "seen"       // in the vendor's WSDL or sample code
	Assumed    Mark = "assumed"    // by this project
)

// Route is how one operation is called.
type Route struct {
	Operation string
	Method    string
	Path      string // from the host root; placeholders in braces
	Mark      Mark

	idempotent bool // may be repeated without looking first; a lost answer to it is never Unclear
	listing    bool // answers with pages, which may be larger than other answers
}

const (
	opListAccounts      = "ListAccounts"
	opCreateAccount     = "CreateAccount"
	opGetAccount        = "GetAccount"
	opUpdateAccount     = "UpdateAccount"
	opDeleteAccount     = "DeleteAccount"
	opIssueCode         = "IssueCode"
	opActivateCode      = "ActivateCode"
	opSendCode          = "SendCode"
	opResetPINErrors    = "ResetPINErrors"
	opListDevices       = "ListDevices"
	opDeleteDevice      = "DeleteDevice"
	opListGroups        = "ListGroups"
	opListAccountGroups = "ListAccountGroups"
	opPutMembership     = "PutMembership"
	opDeleteMembership  = "DeleteMembership"
	opExportAudit       = "ExportAudit"
)

const (
	root    = "/auth/v1/customer/services"
	account = root + "/accounts/{id}"
	member  = root + "/groups/{groupId}/accounts/{id}"
	audit   = "/audit/v2/customer/export/online"
)

// routeTable is everything we know or assume about methods and paths. CreateAccount is documented as an operation, but its
// method, path and body are not. Activating is repeatable: it answers with the same code again.
var routeTable = []Route{
	{Operation: opListAccounts, Method: http.MethodGet, Path: root + "/accounts", Mark: Documented, idempotent: true, listing: true},
	{Operation: opCreateAccount, Method: http.MethodPost, Path: root + "/accounts", Mark: Assumed},
	{Operation: opGetAccount, Method: http.MethodGet, Path: account, Mark: Assumed, idempotent: true},
	{Operation: opUpdateAccount, Method: http.MethodPatch, Path: account, Mark: Assumed, idempotent: true},
	{Operation: opDeleteAccount, Method: http.MethodDelete, Path: account, Mark: Assumed, idempotent: true},
	{Operation: opIssueCode, Method: http.MethodPost, Path: account + "/codes", Mark: Assumed},
	{Operation: opActivateCode, Method: http.MethodPost, Path: account + "/codes/activate", Mark: Assumed, idempotent: true},
	{Operation: opSendCode, Method: http.MethodPost, Path: account + "/codes/send", Mark: Assumed},
	{Operation: opResetPINErrors, Method: http.MethodPost, Path: account + "/pin-errors/reset", Mark: Assumed},
	{Operation: opListDevices, Method: http.MethodGet, Path: account + "/devices", Mark: Assumed, idempotent: true, listing: true},
	{Operation: opDeleteDevice, Method: http.MethodDelete, Path: account + "/devices/{deviceId}", Mark: Assumed, idempotent: true},
	{Operation: opListGroups, Method: http.MethodGet, Path: root + "/groups", Mark: Assumed, idempotent: true, listing: true},
	{Operation: opListAccountGroups, Method: http.MethodGet, Path: account + "/groups", Mark: Assumed, idempotent: true, listing: true},
	{Operation: opPutMembership, Method: http.MethodPut, Path: member, Mark: Assumed, idempotent: true},
	{Operation: opDeleteMembership, Method: http.MethodDelete, Path: member, Mark: Assumed, idempotent: true},
	{Operation: opExportAudit, Method: http.MethodGet, Path: audit, Mark: Seen, idempotent: true, listing: true},
}

// Routes is the table of operations, field names and spellings that a client works by. The zero value is no table: use
// DefaultRoutes or LoadRoutes.
type Routes struct {
	operations map[string]Route
	names      names
}

// DefaultRoutes is the table without overrides.
func DefaultRoutes() Routes {
	r := Routes{operations: map[string]Route{}, names: defaultNames()}
	for _, route := range routeTable {
		r.operations[route.Operation] = route
	}
	return r
}

// List gives the routes in the order of the table.
func (r Routes) List() []Route {
	out := make([]Route, 0, len(r.operations))
	for _, route := range routeTable {
		out = append(out, r.operations[route.Operation])
	}
	return out
}

// Table prints the routes and the field names as Markdown, for the README and for people who write an override file.
func (r Routes) Table() string {
	var b strings.Builder
	b.WriteString("| operation | call | mark |\n|---|---|---|\n")
	for _, route := range r.List() {
		fmt.Fprintf(&b, "| %s | `%s %s` | %s |\n", route.Operation, route.Method, route.Path, route.Mark)
	}
	b.WriteString("\n| field | name on the wire |\n|---|---|\n")
	for _, ours := range slices.Sorted(maps.Keys(r.names.fields)) {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", ours, r.names.fields[ours])
	}
	return b.String()
}
