package api_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	badLogin    = "login must not contain white space"
	badEmail    = "email must look like"
	badPhone    = "phone must be a number"
	needsEmail  = "need spec.email"
	needsLink   = "need type Link"
	renewalRule = "renewal WhenExpired needs purpose Enrollment"
	nowRule     = "activation Now needs type Inactive"
	enum        = "Unsupported value"
)

func group(name, role string) map[string]any { return map[string]any{"name": name, "role": role} }

func TestMFAUserCreate(t *testing.T) {
	cases := map[string]struct {
		set  fields
		want string // part of the error; "" for none
	}{
		"the least that can be said": {},
		"everything": {set: fields{
			"connectionRef.namespace": "mfa-system", "firstName": "Alice", "lastName": "Martin", "email": "alice@example.com",
			"phone": "+33612345678", "language": "fr", "role": "Administrator", "access": "Blocked",
			"groups": []any{group("staff", "User"), group("admins", "Manager")}, "adoptionPolicy": "IfExists", "deletionPolicy": "Delete",
			"managementPolicy": "Observe", "suspend": true, "code.generation": int64(7), "code.delivery": "SecretAndEmail",
			"code.secretName": "alice.first-day", "code.renewal": "WhenExpired",
		}},

		"no connection":             {set: fields{"connectionRef": nil}, want: "spec.connectionRef: Required"},
		"connection without a name": {set: fields{"connectionRef": map[string]any{"namespace": "x"}}, want: "spec.connectionRef.name: Required"},
		"connection name empty":     {set: fields{"connectionRef.name": ""}, want: "spec.connectionRef.name"},
		"connection name too long":  {set: fields{"connectionRef.name": strings.Repeat("a", 254)}, want: "spec.connectionRef.name: Too long"},
		"connection namespace empty": {
			set: fields{"connectionRef.namespace": ""}, want: "spec.connectionRef.namespace",
		},
		"connection namespace too long": {
			set: fields{"connectionRef.namespace": strings.Repeat("a", 64)}, want: "spec.connectionRef.namespace: Too long",
		},

		"no login":                    {set: fields{"login": nil}, want: "spec.login: Required"},
		"login empty":                 {set: fields{"login": ""}, want: "spec.login"},
		"login at its longest":        {set: fields{"login": strings.Repeat("é", 255)}},
		"login too long":              {set: fields{"login": strings.Repeat("a", 256)}, want: "spec.login: Too long"},
		"login not ASCII":             {set: fields{"login": "zoë.d'artagnan+mfa@exämple.com"}},
		"login with backslash":        {set: fields{"login": `EXAMPLE\alice`}},
		"login with space":            {set: fields{"login": "alice martin"}, want: badLogin},
		"login with trailing newline": {set: fields{"login": "alice\n"}, want: badLogin},
		"login with tab":              {set: fields{"login": "alice\tmartin"}, want: badLogin},
		"login with NUL":              {set: fields{"login": "alice\x00"}, want: badLogin},
		"login with no-break space":   {set: fields{"login": "alice\u00a0martin"}, want: badLogin},
		"login with zero-width space": {set: fields{"login": "alice\u200b"}, want: badLogin},
		"login with direction change": {set: fields{"login": "alice\u202e"}, want: badLogin},

		"first name too long": {set: fields{"firstName": strings.Repeat("a", 256)}, want: "spec.firstName: Too long"},
		"last name too long":  {set: fields{"lastName": strings.Repeat("a", 256)}, want: "spec.lastName: Too long"},
		"email to be cleared": {set: fields{"email": ""}},
		"email without at":    {set: fields{"email": "alice"}, want: badEmail},
		"email with space":    {set: fields{"email": "a lice@example.com"}, want: badEmail},
		"email with two ats":  {set: fields{"email": "a@b@c"}, want: badEmail},
		"email too long":      {set: fields{"email": strings.Repeat("a", 250) + "@b.cd"}, want: "spec.email: Too long"},
		"phone to be cleared": {set: fields{"phone": ""}},
		"phone in groups":     {set: fields{"phone": "06 12-34.56(78)/9"}},
		"phone with letters":  {set: fields{"phone": "+33 SIX"}, want: badPhone},
		"phone is a plus":     {set: fields{"phone": "+"}, want: badPhone},
		"phone too long":      {set: fields{"phone": strings.Repeat("1", 33)}, want: "spec.phone: Too long"},
		"language unknown":    {set: fields{"language": "de"}, want: enum},
		"role unknown":        {set: fields{"role": "USER"}, want: enum},
		"access unknown":      {set: fields{"access": "blocked"}, want: enum},

		"no groups":           {set: fields{"groups": []any{}}},
		"group twice":         {set: fields{"groups": []any{group("staff", "User"), group("staff", "Manager")}}, want: "a group may be listed once only"},
		"group without name":  {set: fields{"groups": []any{map[string]any{"role": "User"}}}, want: "spec.groups[0].name: Required"},
		"group name empty":    {set: fields{"groups": []any{group("", "User")}}, want: "spec.groups[0].name"},
		"group name too long": {set: fields{"groups": []any{group(strings.Repeat("a", 129), "User")}}, want: "spec.groups[0].name: Too long"},
		"group without role":  {set: fields{"groups": []any{map[string]any{"name": "staff"}}}, want: "spec.groups[0].role: Required"},
		"group role unknown":  {set: fields{"groups": []any{group("staff", "Owner")}}, want: enum},
		"65 groups":           {set: fields{"groups": manyGroups(65)}, want: "spec.groups: Too many"},
		"64 groups":           {set: fields{"groups": manyGroups(64)}},

		"adoption unknown":   {set: fields{"adoptionPolicy": "Always"}, want: enum},
		"deletion unknown":   {set: fields{"deletionPolicy": "Orphan"}, want: enum},
		"management unknown": {set: fields{"managementPolicy": "Partial"}, want: enum},

		"code for nobody":                  {set: fields{"code.generation": int64(0)}},
		"generation below 0":               {set: fields{"code.generation": int64(-1)}, want: "spec.code.generation"},
		"purpose unknown":                  {set: fields{"code.purpose": "Enrolment"}, want: enum},
		"type unknown":                     {set: fields{"code.type": "Long"}, want: enum},
		"delivery unknown":                 {set: fields{"code.delivery": "Post"}, want: enum},
		"renewal unknown":                  {set: fields{"code.renewal": "Always"}, want: enum},
		"activation unknown":               {set: fields{"code.activation": "Soon"}, want: enum},
		"secret name empty":                {set: fields{"code.secretName": ""}, want: "spec.code.secretName"},
		"secret name upper case":           {set: fields{"code.secretName": "Alice"}, want: "spec.code.secretName"},
		"secret name too long":             {set: fields{"code.secretName": strings.Repeat("a", 254)}, want: "spec.code.secretName: Too long"},
		"secret name at its longest":       {set: fields{"code.secretName": strings.Repeat("a", 253)}},
		"secret name with a dot at an end": {set: fields{"code.secretName": "alice."}, want: "spec.code.secretName"},
		"secret name with two dots":        {set: fields{"code.secretName": "alice..mfa"}, want: "spec.code.secretName"},
		"secret name with dot and hyphen":  {set: fields{"code.secretName": "alice.-mfa"}, want: "spec.code.secretName"},
		"secret name with hyphen and dot":  {set: fields{"code.secretName": "alice-.mfa"}, want: "spec.code.secretName"},

		"mail, no address":                   {set: fields{"code.delivery": "Email"}, want: needsEmail},
		"mail, address cleared":              {set: fields{"code.delivery": "SecretAndEmail", "email": ""}, want: needsEmail},
		"mail, address":                      {set: fields{"code.delivery": "Email", "email": "a@b.c"}},
		"short code by mail":                 {set: fields{"code.delivery": "Email", "code.type": "Short", "email": "a@b.c"}, want: needsLink},
		"inactive code by Secret and mail":   {set: fields{"code.delivery": "SecretAndEmail", "code.type": "Inactive", "email": "a@b.c"}, want: needsLink},
		"renewal of a link":                  {set: fields{"code.renewal": "WhenExpired"}},
		"renewal of an inactive code":        {set: fields{"code.renewal": "WhenExpired", "code.type": "Inactive"}},
		"renewal of a short code":            {set: fields{"code.renewal": "WhenExpired", "code.type": "Short"}, want: renewalRule},
		"renewal of a code for a new device": {set: fields{"code.renewal": "WhenExpired", "code.purpose": "AddDevice"}, want: renewalRule},
		"activation of an inactive code":     {set: fields{"code.activation": "Now", "code.type": "Inactive"}},
		"activation of a link":               {set: fields{"code.activation": "Now"}, want: nowRule},
		"activation of a short code":         {set: fields{"code.activation": "Now", "code.type": "Short"}, want: nowRule},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := admin.Create(t.Context(), object(g, "MFAUser", "default", "alice", tc.set), client.DryRunAll)
			expectOutcome(g, err, tc.want)
		})
	}
}

// TestMFAUserName: a Secret's name is no longer than that of an MFAUser may be, and by default has -mfa at its end.
func TestMFAUserName(t *testing.T) {
	cases := map[string]struct {
		length int
		set    fields
		want   string
	}{
		"at its longest":              {length: 249},
		"too long":                    {length: 250, want: "set spec.code.secretName"},
		"too long, no code block":     {length: 253, set: fields{"code": nil}, want: "set spec.code.secretName"},
		"longer, with a Secret named": {length: 253, set: fields{"code.secretName": "alice"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			user := object(g, "MFAUser", "default", strings.Repeat("a", tc.length), fields{"login": "alice@example.com"})
			change(g, user, tc.set)
			expectOutcome(g, admin.Create(t.Context(), user, client.DryRunAll), tc.want)
		})
	}
}

func manyGroups(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = group(strings.Repeat("g", i+1), "User")
	}
	return out
}
