package mfaclient

import (
	"maps"
	"strings"
)

// Scopes: what kind of object a field stands in. The same word may be spelled differently in two of them.
const (
	scopeAccount = "account" // also what CreateAccount answers, together with scopeCode
	scopeCode    = "code"
	scopeDevice  = "device"
	scopeGroup   = "group"
	scopeAudit   = "audit"
	scopePage    = "page"  // the envelope of a listing
	scopeQuery   = "query" // parameters of a listing
)

// fieldTable names every field the client reads or writes, by scope. On the wire they have the same name unless a file
// overrides it. All are assumed, but page.hasMore, query.page and query.limit (documented) and query.fromId (seen).
var fieldTable = map[string][]string{
	scopeAccount: {
		"id", "login", "firstName", "lastName", "email", "phone", "language", "role", "status", "blocked", "createdBy",
		"lastAuthenticationDate",
	},
	scopeCode:   {"code", "link", "codeType", "purpose", "expiresAt"},
	scopeDevice: {"id", "family", "name", "alias", "state"},
	scopeGroup:  {"id", "name", "role"},
	scopeAudit:  {"id"},
	scopePage:   {"content", "hasMore"},
	scopeQuery:  {"page", "limit", "fromId"},
}

// names translates between our words and those on the wire.
type names struct {
	fields map[string]string // "scope.field" to wire name
	values map[string]string // our spelling of a purpose, state or role to the wire's
	back   map[string]string // the wire's spelling in upper case to ours
}

func defaultNames() names {
	n := names{fields: map[string]string{}, values: map[string]string{}, back: map[string]string{}}
	for scope, fields := range fieldTable {
		for _, field := range fields {
			n.fields[scope+"."+field] = field
		}
	}
	for _, value := range spellings() {
		n.values[value] = value
		n.back[value] = value
	}
	// Documented: the numbers mean the same as the words.
	maps.Copy(n.back, map[string]string{
		"0": string(RoleUser), "1": string(RoleManager), "2": string(RoleAdministrator),
	})
	return n
}

// spellings lists the words that a file may override.
func spellings() []string {
	out := make([]string, 0, len(knownPurposes)+len(knownStates)+len(knownRoles))
	for _, p := range knownPurposes {
		out = append(out, string(p))
	}
	for _, s := range knownStates {
		out = append(out, string(s))
	}
	for _, r := range knownRoles {
		out = append(out, string(r))
	}
	return out
}

// field returns the wire name of one of our fields.
func (n names) field(scope, field string) string { return n.fields[scope+"."+field] }

// encode returns the wire's spelling of a word; a word that is not in the table (a custom role) stays as it is.
func (n names) encode(ours string) string {
	if wire, ok := n.values[ours]; ok {
		return wire
	}
	return ours
}

// decode returns our spelling of a word from the wire, whatever its case; empty when we have none.
func (n names) decode(wire string) string { return n.back[strings.ToUpper(wire)] }

// body builds a JSON object from our names, for requests.
type body struct {
	names names
	out   map[string]any
}

func (n names) body() body { return body{names: n, out: map[string]any{}} }

func (b body) set(scope, field string, value any) { b.out[b.names.field(scope, field)] = value }

// setIf writes a string of an account only when the caller states it: absent means unmanaged.
func (b body) setIf(field string, value *string) {
	if value != nil {
		b.set(scopeAccount, field, *value)
	}
}
