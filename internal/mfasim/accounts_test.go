package mfasim_test

import (
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestCreateAccount(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	out := w.must(201, "POST", "/accounts", `{"login":"alice","firstName":"Alice","lastName":"Martin","email":"alice@example.com",
		"phone":"+33612345678","language":"fr","role":"MANAGER","blocked":false,"codeType":2,"unheardOf":[1]}`)
	code := w.live("alice")
	w.Expect(out).To(Equal(object{
		"id": out["id"], "login": "alice", "firstName": "Alice", "lastName": "Martin", "email": "alice@example.com", "phone": "+33612345678",
		"language": "fr", "role": "MANAGER", "status": "PENDING_ACTIVATION", "blocked": false, "createdBy": "API",
		"code": code, "link": out["link"],
	}))
	w.Expect(out["link"]).To(ContainSubstring(code))

	t.Run("with nothing but a login, it is a plain user", func(t *testing.T) {
		w := newTenant(t, mfasim.Options{})
		out := w.must(201, "POST", "/accounts", `{"login":"bob","codeType":0}`)
		w.Expect(out).To(And(HaveKeyWithValue("role", "USER"), HaveKeyWithValue("language", "en"), HaveKeyWithValue("email", "")))
		w.Expect(out).NotTo(HaveKey("link"))
		w.Expect(out).NotTo(HaveKey("lastAuthenticationDate"))
	})
	t.Run("made blocked, it is blocked", func(t *testing.T) {
		w := newTenant(t, mfasim.Options{})
		out := w.must(201, "POST", "/accounts", `{"login":"bob","codeType":0,"blocked":true}`)
		w.Expect(out).To(HaveKeyWithValue("status", "BLOCKED"))
	})
}

func TestCreateAccountRefuses(t *testing.T) {
	cases := map[string]struct {
		body   string
		status int
		code   string
	}{
		"no JSON":               {`{"login":`, 400, "MALFORMED_BODY"},
		"an array":              {`[]`, 400, "MALFORMED_BODY"},
		"two objects":           {`{"login":"a","codeType":0}{}`, 400, "MALFORMED_BODY"},
		"a number as name":      {`{"login":"a","codeType":0,"firstName":1}`, 400, "MALFORMED_BODY"},
		"a string as code type": {`{"login":"a","codeType":"0"}`, 400, "MALFORMED_BODY"},
		"no login":              {`{"codeType":0}`, 422, "INVALID"},
		"an empty login":        {`{"login":"","codeType":0}`, 422, "INVALID"},
		"white space in login":  {`{"login":"a b","codeType":0}`, 422, "INVALID"},
		"no code type":          {`{"login":"a"}`, 422, "INVALID"},
		"unknown code type":     {`{"login":"a","codeType":3}`, 422, "INVALID"},
		"unknown role":          {`{"login":"a","codeType":0,"role":"KING"}`, 422, "INVALID"},
		"unknown role number":   {`{"login":"a","codeType":0,"role":3}`, 422, "INVALID"},
		"unknown language":      {`{"login":"a","codeType":0,"language":"de"}`, 422, "INVALID"},
		"no mail address":       {`{"login":"a","codeType":0,"email":"a"}`, 422, "INVALID"},
		"a taken login":         {`{"login":"Taken@Example.com","codeType":0}`, 409, "LOGIN_EXISTS"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, mfasim.Options{})
			w.Seed(mfasim.Account{Login: "taken@example.com"})
			w.refused(tc.status, tc.code, "POST", "/accounts", tc.body)
			w.Expect(w.Accounts()).To(HaveLen(2), "the administrator and the seeded one")
		})
	}
}

func TestGetAccount(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "bob", Status: mfasim.StatusActivated, LastAuthenticationDate: start.Add(-time.Hour)})
	out := w.must(200, "GET", path, "")
	w.Expect(out).To(And(HaveKeyWithValue("login", "bob"), HaveKeyWithValue("createdBy", "CONSOLE"), HaveKeyWithValue("status", "ACTIVATED"),
		HaveKeyWithValue("lastAuthenticationDate", "2026-11-01T09:11:12Z"), Not(HaveKey("code"))))
	w.refused(404, "ACCOUNT_NOT_FOUND", "GET", "/accounts/1", "")
	w.refused(404, "ACCOUNT_NOT_FOUND", "GET", "/accounts/bob", "")
}

func TestGetAccountNeverLeaksACode(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, _ := w.create("alice", "2")
	w.Expect(w.must(200, "GET", path, "")).NotTo(Or(HaveKey("code"), HaveKey("link")))
	w.Expect(w.must(200, "PATCH", path, `{"phone":"1"}`)).NotTo(Or(HaveKey("code"), HaveKey("link")))
}

func TestUpdateAccount(t *testing.T) {
	cases := map[string]struct {
		body string
		want mfasim.Account
	}{
		"one field leaves the others": {`{"firstName":"Bo"}`, mfasim.Account{FirstName: "Bo", LastName: "B", Email: "b@example.com", Role: "USER"}},
		"an empty field is cleared":   {`{"email":""}`, mfasim.Account{FirstName: "Bob", LastName: "B", Role: "USER"}},
		"a role by number":            {`{"role":2}`, mfasim.Account{FirstName: "Bob", LastName: "B", Email: "b@example.com", Role: "ADMINISTRATOR"}},
		"blocking": {`{"blocked":true}`, mfasim.Account{FirstName: "Bob", LastName: "B", Email: "b@example.com", Role: "USER",
			Blocked: true, Status: mfasim.StatusBlocked}},
		"read-only fields are ignored": {`{"id":1,"status":"ACTIVATED","createdBy":"me"}`,
			mfasim.Account{FirstName: "Bob", LastName: "B", Email: "b@example.com", Role: "USER"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, mfasim.Options{})
			before := w.Seed(mfasim.Account{Login: "bob", FirstName: "Bob", LastName: "B", Email: "b@example.com"})
			out := w.must(200, "PATCH", "/accounts/"+before.ID.String(), tc.body)
			after, _ := w.Account("bob")
			tc.want.ID, tc.want.Login, tc.want.Language, tc.want.CreatedBy = before.ID, "bob", "en", "CONSOLE"
			if tc.want.Status == "" {
				tc.want.Status = mfasim.StatusPending
			}
			w.Expect(after).To(Equal(tc.want))
			w.Expect(out).To(HaveKeyWithValue("status", tc.want.Status))
		})
	}
}

func TestUpdateAccountRefuses(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.Seed(mfasim.Account{Login: "taken"})
	path := w.seed(mfasim.Account{Login: "bob", FirstName: "Bob"})
	w.refused(409, "LOGIN_EXISTS", "PATCH", path, `{"login":"TAKEN","firstName":"x"}`)
	w.refused(422, "INVALID", "PATCH", path, `{"language":"xx","firstName":"x"}`)
	w.refused(400, "MALFORMED_BODY", "PATCH", path, `nonsense`)
	w.refused(404, "ACCOUNT_NOT_FOUND", "PATCH", "/accounts/1", `{}`)
	after, _ := w.Account("bob")
	w.Expect(after.FirstName).To(Equal("Bob"), "a refused request changes nothing")
	w.must(200, "PATCH", path, `{"login":"BOB"}`) // another spelling of one's own login is not taken
}

func TestDeleteAccount(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, made := w.create("alice", "0")
	w.Expect(w.must(204, "DELETE", path, "")).To(BeNil())
	w.refused(404, "ACCOUNT_NOT_FOUND", "DELETE", path, "")
	w.Expect(w.UseCode(made["code"].(string))).To(MatchError(mfasim.ErrCodeCancelled))
	again, _ := w.create("ALICE", "0")
	w.Expect(again).NotTo(Equal(path), "an id is never used twice")
}

func TestIDsAndRolesOnTheWire(t *testing.T) {
	beyond := mfasim.ID(1<<53 + 1) // the first integer that a float cannot hold
	w := newTenant(t, mfasim.Options{FirstID: beyond})
	w.Expect(field(w.must(200, "GET", "/accounts", ""), "id")).To(Equal([]any{json.Number("9007199254740993")}))
	w.must(200, "GET", "/accounts/9007199254740993", "")

	w = newTenant(t, mfasim.Options{FirstID: beyond, StringIDs: true, NumericRoles: true})
	w.Seed(mfasim.Account{Login: "custom", Role: "HELPDESK"})
	w.Seed(mfasim.Account{Login: "plain"})
	out := w.must(200, "GET", "/accounts", "")
	w.Expect(field(out, "id")[0]).To(Equal("9007199254740993"))
	w.Expect(field(out, "role")).To(Equal([]any{json.Number("2"), "HELPDESK", json.Number("0")}))
}
