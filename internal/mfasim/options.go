package mfasim

import (
	"cmp"
	"time"

	"k8s.io/utils/clock"
)

// What a fresh tenant looks like when Options says nothing else.
const (
	DefaultServiceID  = "4711"
	DefaultAdminLogin = "admin@example.com"
	DefaultFirstID    = ID(48213)
)

// Lifetimes says how long a code lives (D: a tenant can change them).
type Lifetimes struct {
	Short    time.Duration // codeType 0, and codeType 1 from the moment it is switched on; default 15 minutes
	Inactive time.Duration // codeType 1 until it is switched on; default 21 days
	Link     time.Duration // codeType 2; default 21 days
}

// Options describes the simulated tenant. The zero value is a tenant with the vendor's defaults on the real clock.
type Options struct {
	Clock      clock.PassiveClock // any clock.Clock will do; default the real one
	ServiceID  string             // the tenant, first half of a token's sub; default DefaultServiceID
	AdminLogin string             // whose token Token() is; default DefaultAdminLogin
	NoAdmin    bool               // leaves the administrator's account out of the tenant; its token still works
	FirstID    ID                 // ids count up from here; start beyond 2^53 to catch clients that read them as floats
	StringIDs  bool               // ids as JSON strings instead of numbers
	// NumericRoles spells USER, MANAGER and ADMINISTRATOR as 0, 1 and 2 in answers; both are always understood in requests.
	NumericRoles  bool
	Lifetimes     Lifetimes
	OmitExpiresAt bool   // leaves expiresAt out of answers, as the contract allows
	LeakCodes     *bool  // ListAccounts shows live codes, as the older API does (S); default true
	LinkBase      string // a link is this and its code; default an address that leads nowhere
	Seed          uint64 // of the dice behind Fault.Probability; default 1
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	o.ServiceID = cmp.Or(o.ServiceID, DefaultServiceID)
	o.AdminLogin = cmp.Or(o.AdminLogin, DefaultAdminLogin)
	o.FirstID = cmp.Or(o.FirstID, DefaultFirstID)
	o.Lifetimes.Short = cmp.Or(o.Lifetimes.Short, 15*time.Minute)
	o.Lifetimes.Inactive = cmp.Or(o.Lifetimes.Inactive, 21*24*time.Hour)
	o.Lifetimes.Link = cmp.Or(o.Lifetimes.Link, 21*24*time.Hour)
	o.LinkBase = cmp.Or(o.LinkBase, "https://activation.example.com/enrol?code=")
	o.Seed = cmp.Or(o.Seed, 1)
	if o.LeakCodes == nil {
		o.LeakCodes = new(true)
	}
	return o
}
