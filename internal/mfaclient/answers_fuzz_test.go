package mfaclient

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// ownSentence is all that a decoder may say of an answer: words of ours and names of fields, so that no code, token or
// name of a person gets from an answer into a log, event or condition.
var ownSentence = regexp.MustCompile(`^(the answer is not JSON|the answer is not an object|[a-z]+\.[a-zA-Z]+ (is missing|has the wrong type|is not a date))$`)

// FuzzDecodersSayNothing: whatever a service answers, no decoder panics or repeats any of it.
func FuzzDecodersSayNothing(f *testing.F) {
	for _, seed := range []string{
		aliceJSON, `{"content":[` + aliceJSON + `,{"id":"\u0000"}],"hasMore":true}`, `{"id":1,"family":"ma","state":"x9"}`,
		`{"code":["canary"],"link":{"canary":1},"expiresAt":"canary"}`, `{"code":"canary","codeType":"9e9"}`, `{"id":true,"login":{}}`,
		`{"canary`, `"canary"`, `[1]`, `nul`, `{"id":1,"id":2}`, `{"content":"canary"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decoders := map[string]func(*object){
			"account": func(o *object) { readAccount(o) },
			"code":    func(o *object) { readCode(o, CodeTypeLink) },
			"device":  func(o *object) { readDevice(o) },
			"group":   func(o *object) { readGroup(o) },
			"audit":   func(o *object) { readAuditEvent(o) },
			"page":    func(o *object) { readAll(o, o.flag(scopePage, "hasMore", false), readAccount) },
		}
		for name, decode := range decoders {
			o := defaultNames().object(data)
			decode(o)
			if o.err != nil && !ownSentence.MatchString(o.err.Error()) {
				t.Errorf("%s says %q", name, o.err)
			}
		}
		if fault := nokFault(data); fault != nil && strings.ContainsAny(fault.Error(), "{}[]\"") {
			t.Errorf("NOK says %q", fault)
		}
	})
}

// FuzzIDsKeepTheirSpelling: an id comes back in paths exactly as the service wrote it, number or string.
func FuzzIDsKeepTheirSpelling(f *testing.F) {
	for _, seed := range []string{"48213", "9007199254740993", "-1", "1.0", "1e400", "00017", "a/b", "..", "\u00e9 ?", "\x00", "\"", "null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if id == "" || !utf8.ValidString(id) {
			return // JSON has no way to write it
		}
		quoted, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		checkID(t, string(quoted), id)
		if number := json.Number(id); json.Valid([]byte(id)) && strings.Trim(id, "-0123456789.eE+") == "" {
			checkID(t, number.String(), id)
		}
	})
}

func checkID(t *testing.T, raw, want string) {
	t.Helper()
	o := defaultNames().object([]byte(`{"login":"a","id":` + raw + `}`))
	if got := readAccount(o).ID; o.err != nil || string(got) != want {
		t.Errorf("%s was read as %q, %v", raw, got, o.err)
	}
	path, ok := fillPath("/{id}", map[string]string{"id": want})
	if back, err := url.PathUnescape(strings.TrimPrefix(path, "/")); ok && (err != nil || back != want) {
		t.Errorf("%q became the path %q", want, path)
	}
}
