package mfaclient

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func FuzzLoadRoutes(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "operations: {CreateAccount: {method: POST, path: /x}}", "fields: {content: items, account.id: userId}",
		"values: {USER: u}", `{"operations":{"GetAccount":{"path":"/x/{id}"}}}`, "operations: {GetAccount: {path: '/%2e%2e/{id}'}}",
		"a: &a [*a]", "fields: {.id: x}", "operations: {GetAccount: null}",
		"fields: {link: code}", "values: {EXPIRED: blocked}", "values: {EXPIRED: BLOCKED, BLOCKED: EXPIRED}", "values: {USER: '1'}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		routes, err := LoadRoutes(strings.NewReader(file))
		if err != nil {
			return
		}
		for _, route := range routes.List() {
			path, ok := fillPath(route.Path, map[string]string{"id": "1", "groupId": "2", "deviceId": "3"})
			u, err := url.Parse("https://example.com" + path)
			if !ok || err != nil || u.Host != "example.com" || u.EscapedPath() != path {
				t.Errorf("%s leads to %q", route.Operation, path)
			}
		}
		checkUsable(t, routes.names)
		again, err := LoadRoutes(strings.NewReader(overridesOf(routes)))
		if err != nil || !reflect.DeepEqual(again, routes) {
			t.Errorf("written out and read again it is another table, %v", err)
		}
	})
}

// checkUsable: every field has a name of its own in requests and answers, and every word comes back as it was sent.
func checkUsable(t *testing.T, n names) {
	t.Helper()
	for scope, fields := range fieldTable {
		wire := map[string]bool{}
		for _, field := range fields {
			wire[n.field(scope, field)] = true
		}
		if wire[""] || len(wire) != len(fields) {
			t.Errorf("the names of %s are no use: %v", scope, slices.Sorted(maps.Keys(wire)))
		}
	}
	for _, word := range spellings() {
		if back := n.decode(n.encode(word)); back != word {
			t.Errorf("%s comes back as %q", word, back)
		}
	}
}

// overridesOf writes the whole table as a file.
func overridesOf(r Routes) string {
	var b strings.Builder
	b.WriteString("operations:\n")
	for _, route := range r.List() {
		fmt.Fprintf(&b, "  %s: {method: %s, path: %s}\n", route.Operation, route.Method, strconv.QuoteToASCII(route.Path))
	}
	for section, words := range map[string]map[string]string{"fields": r.names.fields, "values": r.names.values} {
		b.WriteString(section + ":\n")
		for ours, wire := range words {
			fmt.Fprintf(&b, "  %s: %s\n", ours, strconv.QuoteToASCII(wire))
		}
	}
	return b.String()
}
