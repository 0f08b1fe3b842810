package mfaclient

import (
	"errors"
	"fmt"
	"io"
)

const redacted = "[redacted]"

var errNotPrintable = errors.New("mfaclient: a secret is not for marshalling")

// secret is the part that Token and Code share. It holds a pointer because fmt cannot call methods on unexported fields
// of other structs: there it prints the address, never what it points to.
type secret struct{ value *string }

func newSecret(value string) secret {
	if value == "" {
		return secret{}
	}
	return secret{value: &value}
}

func (s secret) reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String returns a fixed text, so that %s and %v are safe.
func (secret) String() string { return redacted }

// GoString returns a fixed text, so that %#v is safe.
func (secret) GoString() string { return redacted }

// Format writes a fixed text for every verb: without it %x and %d would reach the pointer.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON refuses: a stored "[redacted]" would pass for a value.
func (secret) MarshalJSON() ([]byte, error) { return nil, errNotPrintable }

// MarshalText refuses, for the encoders of YAML, XML and log lines.
func (secret) MarshalText() ([]byte, error) { return nil, errNotPrintable }

// Code is an activation code or link: whoever holds it can enrol a device. It prints as "[redacted]".
// The zero value means that there is none.
type Code struct{ secret }

// NewCode wraps a code. The empty string gives the zero Code.
func NewCode(value string) Code { return Code{newSecret(value)} }

// Reveal is the one way to the plain code; nil when there is none.
func (c Code) Reveal() []byte {
	if c.IsZero() {
		return nil
	}
	return []byte(c.reveal())
}

// IsZero tells whether there is no code.
func (c Code) IsZero() bool { return c.value == nil }
