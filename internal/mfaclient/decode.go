package mfaclient

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// malformed is a decoding fault. It names a field of ours at most, never a value.
type malformed string

func (m malformed) Error() string { return string(m) }

// object reads one JSON object by our field names. Like a bufio.Scanner it keeps the first fault, so that a decoder reads
// as a list of fields and checks once. Unknown fields are ignored.
type object struct {
	names names
	raw   map[string]json.RawMessage
	err   error
}

func (n names) object(data []byte) *object {
	o := &object{names: n}
	if !json.Valid(data) {
		o.fail(reasonNotJSON)
	} else if json.Unmarshal(data, &o.raw) != nil || o.raw == nil {
		o.fail("the answer is not an object")
	}
	return o
}

func (o *object) fail(reason string) {
	if o.err == nil {
		o.err = malformed(reason)
	}
}

// get returns nil for a field that is absent or null.
func (o *object) get(scope, field string) json.RawMessage {
	raw := o.raw[o.names.field(scope, field)]
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return raw
}

// has tells an absent field from one that is null.
func (o *object) has(scope, field string) bool {
	_, ok := o.raw[o.names.field(scope, field)]
	return ok
}

// text reads a string or a number. Numbers keep their digits as they came: a float64 would round ids beyond 2^53.
func (o *object) text(scope, field string) string {
	raw := o.get(scope, field)
	value, ok := scalar(raw)
	if !ok && raw != nil {
		o.fail(scope + "." + field + " has the wrong type")
	}
	return value
}

// required is text that must not be empty.
func (o *object) required(scope, field string) string {
	value := o.text(scope, field)
	if value == "" {
		o.fail(scope + "." + field + " is missing")
	}
	return value
}

// word reads a word that may have a spelling of ours; verbatim is how it came, whatever its type.
func (o *object) word(scope, field string) (ours, verbatim string) {
	raw := o.get(scope, field)
	verbatim, ok := scalar(raw)
	if !ok {
		verbatim = string(raw)
	}
	return o.names.decode(verbatim), verbatim
}

// flag reads a boolean, or gives the fallback when it is absent.
func (o *object) flag(scope, field string, fallback bool) bool {
	raw := o.get(scope, field)
	if raw == nil {
		return fallback
	}
	var value bool
	if json.Unmarshal(raw, &value) != nil {
		o.fail(scope + "." + field + " has the wrong type")
	}
	return value
}

// number reads an integer, also from a string; absent is 0.
func (o *object) number(scope, field string) int {
	text := o.text(scope, field)
	if text == "" {
		return 0
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		o.fail(scope + "." + field + " has the wrong type")
	}
	return value
}

// instant reads a time; ok is false when something is there that is no time we know.
func (o *object) instant(scope, field string) (t time.Time, ok bool) {
	text, ok := scalar(o.get(scope, field))
	if !ok || text == "" {
		return time.Time{}, o.get(scope, field) == nil || ok
	}
	// The second form is what Java services write; it differs in the zone's colon only.
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, text); err == nil && plausible(t) {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// scalar returns the text of a JSON string or number.
func scalar(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch c := raw[0]; {
	case c == '"':
		var value string
		err := json.Unmarshal(raw, &value)
		return value, err == nil
	case c == '-' || (c >= '0' && c <= '9'):
		return string(raw), true
	}
	return "", false
}
