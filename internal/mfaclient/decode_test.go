package mfaclient

import (
	"slices"
	"testing"
)

func FuzzDecodeAccounts(f *testing.F) {
	for _, seed := range []string{
		`{"content":[` + aliceJSON + `],"hasMore":true}`, `{"content":null,"hasMore":false}`, `{"content":[{"id":9007199254740993,"login":"a"}]}`,
		`{"content":[{"id":1e400,"login":"\ud800","role":[],"status":{},"lastAuthenticationDate":"0001-01-01T00:00:00Z"}],"hasMore":false}`,
		`[]`, `null`, `NOK:full`, `{"content":[[[[`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = nokFault(data)
		page := defaultNames().object(data)
		accounts := readAll(page, page.flag(scopePage, "hasMore", false), readAccount)
		if page.err != nil {
			return
		}
		for _, a := range accounts {
			if a.ID == "" || a.Login == "" {
				t.Errorf("account without id or login: %+v", a)
			}
			if a.State != StateUnknown && !slices.Contains(knownStates, a.State) {
				t.Errorf("state %q", a.State)
			}
			if !a.LastAuthenticated.IsZero() && !plausible(a.LastAuthenticated) {
				t.Errorf("date %s", a.LastAuthenticated)
			}
		}
	})
}

func FuzzDecodeCode(f *testing.F) {
	for _, seed := range []string{
		`{"code":"c","link":"l","codeType":2,"expiresAt":"2026-11-01T10:15:00Z"}`, `{"code":1,"codeType":"x"}`, `{"link":"l"}`,
		`{"code":"c","expiresAt":"9999-12-31T23:59:59-23:59"}`, `{}`, `"NOK"`,
	} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, asked int) {
		o := defaultNames().object(data)
		code := readCode(o, CodeType(asked))
		if o.err != nil {
			return
		}
		if code.Code.IsZero() && code.Link.IsZero() {
			t.Error("an answer without a code was accepted")
		}
		if _, err := code.ExpiresAt.MarshalJSON(); err != nil {
			t.Errorf("a date that cannot be written: %v", err)
		}
	})
}

func FuzzFillPath(f *testing.F) {
	for _, seed := range []string{"1", "../x", "..", "{id}", "%2e", "a/b", "?", "#", "\x00", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		path, ok := fillPath("/a/{id}/b", map[string]string{"id": id})
		if !ok {
			return
		}
		for i, r := range []byte(path[len("/a/") : len(path)-len("/b")]) {
			if r == '/' || r == '?' || r == '#' || r <= ' ' {
				t.Errorf("%q leaves its segment at %d: %q", id, i, path)
			}
		}
	})
}
