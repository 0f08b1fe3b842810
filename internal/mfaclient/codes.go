package mfaclient

import (
	"context"
	"strconv"
	"time"
)

// CodeType is the form of a code (D).
type CodeType int

// The forms of a code.
const (
	CodeTypeShort    CodeType = 0 // usable at once, 15 minutes by default
	CodeTypeInactive CodeType = 1 // switched on later by ActivateCode, 21 days by default
	CodeTypeLink     CodeType = 2 // activation link, can be mailed with SendCode, 21 days by default
)

// Purpose is what a code is for (the purposes are D, their spelling A).
type Purpose string

// The purposes.
const (
	PurposeEnrollment Purpose = "ENROLLMENT" // a new or expired account: enrols the first device
	PurposeAddDevice  Purpose = "ADD_DEVICE" // an activated account: enrols one more device
	PurposeUnlock     Purpose = "UNLOCK"     // a PIN-blocked account: lets the user set a new PIN
	PurposeRestore    Purpose = "RESTORE"    // all devices lost: enrols one and deletes all others
)

var knownPurposes = []Purpose{PurposeEnrollment, PurposeAddDevice, PurposeUnlock, PurposeRestore}

// IssuedCode is a code the service just gave out. It cancels every code of the account before it.
type IssuedCode struct {
	Code      Code
	Link      Code // for CodeTypeLink
	Type      CodeType
	ExpiresAt time.Time // zero: the service did not say, so it is the time of issue plus the life the tenant has set
}

// IssueCode asks for a new code (A). The code is in this answer only; when the error is Unclear, one that nobody saw may
// be live, and asking again cancels it.
func (c *Client) IssueCode(ctx context.Context, id AccountID, p Purpose, t CodeType) (IssuedCode, error) {
	b := c.routes.names.body()
	b.set(scopeCode, "purpose", b.names.encode(string(p)))
	b.set(scopeCode, "codeType", int(t))
	return c.oneCode(ctx, request{operation: opIssueCode, path: map[string]string{"id": string(id)}, body: b.out}, t)
}

// ActivateCode switches the inactive code of an account on (A). Repeating it is harmless.
func (c *Client) ActivateCode(ctx context.Context, id AccountID) (IssuedCode, error) {
	q := request{operation: opActivateCode, path: map[string]string{"id": string(id)}}
	return c.oneCode(ctx, q, CodeTypeInactive)
}

// SendCode has the platform mail the newest link to the account's address (A). Repeating it sends the same link again.
func (c *Client) SendCode(ctx context.Context, id AccountID) error {
	return c.do(ctx, request{operation: opSendCode, path: map[string]string{"id": string(id)}}, nil)
}

// ResetPINErrors forgets wrong PINs; it works once until the next good authentication (A).
func (c *Client) ResetPINErrors(ctx context.Context, id AccountID) error {
	return c.do(ctx, request{operation: opResetPINErrors, path: map[string]string{"id": string(id)}}, nil)
}

func (c *Client) oneCode(ctx context.Context, q request, asked CodeType) (IssuedCode, error) {
	var got IssuedCode
	if err := c.do(ctx, q, func(o *object) { got = readCode(o, asked) }); err != nil {
		return IssuedCode{}, err
	}
	return got, nil
}

// readCode is lenient with what surrounds the code: refusing an answer would lose the code and ask for the next one.
func readCode(o *object, asked CodeType) IssuedCode {
	code := IssuedCode{
		Code: NewCode(o.text(scopeCode, "code")),
		Link: NewCode(o.text(scopeCode, "link")),
		Type: asked,
	}
	if code.Code.IsZero() && (asked != CodeTypeLink || code.Link.IsZero()) {
		o.fail("code.code is missing")
	}
	if text, ok := scalar(o.get(scopeCode, "codeType")); ok {
		if n, err := strconv.Atoi(text); err == nil && n >= int(CodeTypeShort) && n <= int(CodeTypeLink) {
			code.Type = CodeType(n)
		}
	}
	code.ExpiresAt, _ = o.instant(scopeCode, "expiresAt")
	return code
}
