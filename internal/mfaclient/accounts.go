package mfaclient

import (
	"context"
	"slices"
	"time"
)

// AccountID is the stable key of an account, as the service wrote it (number or string).
type AccountID string

// Role is what an account may do. Custom roles keep the spelling of the service.
type Role string

// The roles every service has (D). The numbers 0, 1 and 2 mean the same on the wire.
const (
	RoleUser          Role = "USER"
	RoleManager       Role = "MANAGER"       // creates, changes and deletes users
	RoleAdministrator Role = "ADMINISTRATOR" // also changes the service
)

var knownRoles = []Role{RoleUser, RoleManager, RoleAdministrator}

// State is where an account stands (the states are D, their spelling A).
type State string

// The states.
const (
	StatePendingActivation State = "PENDING_ACTIVATION" // created, no device yet
	StateActivated         State = "ACTIVATED"          // has a device
	StateExpired           State = "EXPIRED"            // the code or link was not used in time
	StateBlocked           State = "BLOCKED"            // by an administrator
	StatePinBlocked        State = "PIN_BLOCKED"        // too many wrong PINs
	StateUnknown           State = "UNKNOWN"            // anything else: never to be acted on
)

var knownStates = []State{StatePendingActivation, StateActivated, StateExpired, StateBlocked, StatePinBlocked}

// Account is a person in the service. It has no field for a code: one that the service leaks into a listing is dropped.
type Account struct {
	ID                AccountID
	Login             string
	FirstName         string
	LastName          string
	Email             string
	Phone             string
	Language          string
	Role              Role
	State             State
	Blocked           bool
	CreatedBy         string
	LastAuthenticated time.Time // zero: never
}

// AccountFields are the writable fields. Only those that are not nil are sent.
type AccountFields struct {
	FirstName *string
	LastName  *string
	Email     *string
	Phone     *string
	Language  *string
	Role      *Role
	Blocked   *bool
}

// CreateAccountRequest is what CreateAccount sends.
type CreateAccountRequest struct {
	Login    string
	Fields   AccountFields
	CodeType CodeType // form of the enrolment code that comes with the account
}

// AccountPage is one page of the listing.
type AccountPage struct {
	Accounts []Account
	HasMore  bool
}

// ListAccounts reads one page (D): page counts from 0, limit is 1 to 100. A listing is no snapshot: accounts may be
// missing or come twice when others are made or deleted meanwhile.
func (c *Client) ListAccounts(ctx context.Context, page, limit int) (AccountPage, error) {
	q := request{operation: opListAccounts, query: c.paging(page, limit)}
	accounts, more, err := list(ctx, c, q, readAccount)
	return AccountPage{Accounts: accounts, HasMore: more}, err
}

// CreateAccount makes an account and its enrolment code (A). The code is in this answer only. KindConflict: the login is
// taken. KindQuotaExceeded: the service is full. When the error is Unclear, look for the login before trying again.
func (c *Client) CreateAccount(ctx context.Context, r CreateAccountRequest) (Account, IssuedCode, error) {
	b := c.fieldsBody(r.Fields)
	b.set(scopeAccount, "login", r.Login)
	b.set(scopeCode, "codeType", int(r.CodeType))
	var made Account
	var code IssuedCode
	err := c.do(ctx, request{operation: opCreateAccount, body: b.out}, func(o *object) {
		made, code = readAccount(o), readCode(o, r.CodeType)
	})
	if err != nil {
		return Account{}, IssuedCode{}, err
	}
	return made, code, nil
}

// GetAccount reads one account (A). KindNotFound: it is gone.
func (c *Client) GetAccount(ctx context.Context, id AccountID) (Account, error) {
	return c.oneAccount(ctx, request{operation: opGetAccount, path: map[string]string{"id": string(id)}})
}

// UpdateAccount changes the stated fields and returns the account as it is then (A).
func (c *Client) UpdateAccount(ctx context.Context, id AccountID, f AccountFields) (Account, error) {
	path := map[string]string{"id": string(id)}
	return c.oneAccount(ctx, request{operation: opUpdateAccount, path: path, body: c.fieldsBody(f).out})
}

// DeleteAccount removes an account for good (A). KindNotFound: it was gone before.
func (c *Client) DeleteAccount(ctx context.Context, id AccountID) error {
	return c.do(ctx, request{operation: opDeleteAccount, path: map[string]string{"id": string(id)}}, nil)
}

func (c *Client) oneAccount(ctx context.Context, q request) (Account, error) {
	var got Account
	err := c.do(ctx, q, func(o *object) {
		got = readAccount(o)
		// A wrong route must not show one account under the id of another.
		if string(got.ID) != q.path["id"] {
			o.fail("the answer is about another account")
		}
	})
	if err != nil {
		return Account{}, err
	}
	return got, nil
}

func (c *Client) fieldsBody(f AccountFields) body {
	b := c.routes.names.body()
	b.setIf("firstName", f.FirstName)
	b.setIf("lastName", f.LastName)
	b.setIf("email", f.Email)
	b.setIf("phone", f.Phone)
	b.setIf("language", f.Language)
	if f.Role != nil {
		b.set(scopeAccount, "role", b.names.encode(string(*f.Role)))
	}
	if f.Blocked != nil {
		b.set(scopeAccount, "blocked", *f.Blocked)
	}
	return b
}

func readAccount(o *object) Account {
	a := Account{
		ID:        AccountID(o.required(scopeAccount, "id")),
		Login:     o.required(scopeAccount, "login"),
		FirstName: o.text(scopeAccount, "firstName"),
		LastName:  o.text(scopeAccount, "lastName"),
		Email:     o.text(scopeAccount, "email"),
		Phone:     o.text(scopeAccount, "phone"),
		Language:  o.text(scopeAccount, "language"),
		Role:      readRole(o, scopeAccount),
		State:     readState(o),
		CreatedBy: o.text(scopeAccount, "createdBy"),
	}
	a.Blocked = o.flag(scopeAccount, "blocked", a.State == StateBlocked)
	// "Never" makes an account look unused, so a date that cannot be read must not turn into it.
	var ok bool
	if a.LastAuthenticated, ok = o.instant(scopeAccount, "lastAuthenticationDate"); !ok {
		o.fail("account.lastAuthenticationDate is not a date")
	}
	return a
}

func readRole(o *object, scope string) Role {
	ours, verbatim := o.word(scope, "role")
	if slices.Contains(knownRoles, Role(ours)) {
		return Role(ours)
	}
	return Role(verbatim)
}

func readState(o *object) State {
	ours, _ := o.word(scopeAccount, "status")
	if slices.Contains(knownStates, State(ours)) {
		return State(ours)
	}
	return StateUnknown
}
