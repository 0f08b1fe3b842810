package mfaclient

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestListAccountsDecodesThePage(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200, `{"content":[`+aliceJSON+`,{"id":"9007199254740993","login":"bob","unknown":{"x":1}}],"hasMore":true}`))
	page, err := newClient(t, s).ListAccounts(t.Context(), 0, 100)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(page.HasMore).To(BeTrue())
	g.Expect(page.Accounts).To(Equal([]Account{alice, {ID: "9007199254740993", Login: "bob", State: StateUnknown}}))
}

func TestListAccountsTellsTheEndFromAFault(t *testing.T) {
	cases := map[string]struct {
		body  string
		fault string // reason; "" when the page is empty and fine
	}{
		"empty":                    {`{"content":[],"hasMore":false}`, ""},
		"null content":             {`{"content":null,"hasMore":false}`, ""},
		"null content, more":       {`{"content":null,"hasMore":true}`, "page.content is missing"},
		"no content":               {`{"items":[],"hasMore":false}`, "page.content is missing"},
		"no hasMore":               {`{"content":[]}`, "page.hasMore is missing"},
		"null hasMore":             {`{"content":[],"hasMore":null}`, "page.hasMore is missing"},
		"hasMore is a word":        {`{"content":[],"hasMore":"no"}`, "page.hasMore has the wrong type"},
		"content is an object":     {`{"content":{},"hasMore":false}`, "page.content has the wrong type"},
		"a bare list":              {`[]`, "the answer is not an object"},
		"null":                     {`null`, "the answer is not an object"},
		"nothing":                  {``, "the answer is not JSON"},
		"HTML":                     {`<html>`, "the answer is not JSON"},
		"JSON and more":            {`{"content":[],"hasMore":false}{}`, "the answer is not JSON"},
		"account is null":          {`{"content":[null],"hasMore":false}`, "the answer is not an object"},
		"account without id":       {`{"content":[{"login":"a"}],"hasMore":false}`, "account.id is missing"},
		"account with null id":     {`{"content":[{"id":null,"login":"a"}],"hasMore":false}`, "account.id is missing"},
		"account with empty id":    {`{"content":[{"id":"","login":"a"}],"hasMore":false}`, "account.id is missing"},
		"id is an object":          {`{"content":[{"id":{},"login":"a"}],"hasMore":false}`, "account.id has the wrong type"},
		"account without login":    {`{"content":[{"id":1}],"hasMore":false}`, "account.login is missing"},
		"blocked is a word":        {`{"content":[{"id":1,"login":"a","blocked":"no"}],"hasMore":false}`, "account.blocked has the wrong type"},
		"date that is none":        {`{"content":[{"id":1,"login":"a","lastAuthenticationDate":"soon"}],"hasMore":false}`, "account.lastAuthenticationDate is not a date"},
		"date that is a list":      {`{"content":[{"id":1,"login":"a","lastAuthenticationDate":[]}],"hasMore":false}`, "account.lastAuthenticationDate is not a date"},
		"good one, then a bad one": {`{"content":[` + aliceJSON + `,{"id":2}],"hasMore":false}`, "account.login is missing"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			page, err := newClient(t, serve(t, answer(200, tc.body))).ListAccounts(t.Context(), 0, 100)
			g.Expect(page.Accounts).To(BeEmpty())
			g.Expect(page.HasMore).To(BeFalse())
			if tc.fault == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			e := fault(t, err)
			g.Expect(e.Kind).To(Equal(KindMalformed))
			g.Expect(e.Reason).To(Equal(tc.fault))
			g.Expect(e.Unclear).To(BeFalse())
		})
	}
}

func TestALiveCodeInAListingIsDropped(t *testing.T) {
	g := NewWithT(t)
	for i := range reflect.TypeFor[Account]().NumField() {
		name := strings.ToLower(reflect.TypeFor[Account]().Field(i).Name)
		g.Expect(name).NotTo(Or(ContainSubstring("code"), ContainSubstring("link"), ContainSubstring("raw")))
	}
	leaky := strings.Replace(aliceJSON, "{", `{"code":"canary-code","link":"https://x/canary-code",`, 1)
	s := serve(t, answer(200, `{"content":[`+leaky+`],"hasMore":false}`))
	page, err := newClient(t, s).ListAccounts(t.Context(), 0, 100)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(page.Accounts).To(Equal([]Account{alice}))
	g.Expect(fmt.Sprintf("%#v", page)).NotTo(ContainSubstring("canary-code"))
}

func TestRolesAndStates(t *testing.T) {
	cases := map[string]struct {
		json    string
		role    Role
		state   State
		blocked bool
	}{
		"words":                 {`"role":"MANAGER","status":"ACTIVATED"`, RoleManager, StateActivated, false},
		"small letters":         {`"role":"administrator","status":"pin_blocked"`, RoleAdministrator, StatePinBlocked, false},
		"number 0":              {`"role":0,"status":"EXPIRED"`, RoleUser, StateExpired, false},
		"number 1":              {`"role":1,"status":"PENDING_ACTIVATION"`, RoleManager, StatePendingActivation, false},
		"number 2 in a string":  {`"role":"2","status":"ACTIVATED"`, RoleAdministrator, StateActivated, false},
		"custom role":           {`"role":"Help desk","status":"FROZEN"`, "Help desk", StateUnknown, false},
		"custom role, number":   {`"role":7,"status":3`, "7", StateUnknown, false},
		"custom role, object":   {`"role":{"id":7},"status":{}`, `{"id":7}`, StateUnknown, false},
		"role named as a state": {`"role":"blocked","status":"USER"`, "blocked", StateUnknown, false},
		"nothing":               {`"role":null`, "", StateUnknown, false},
		"blocked by its state":  {`"status":"BLOCKED"`, "", StateBlocked, true},
		"blocked as stated":     {`"status":"PIN_BLOCKED","blocked":true`, "", StatePinBlocked, true},
		"state of numbers":      {`"role":"USER","status":0`, RoleUser, StateUnknown, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got, err := newClient(t, serve(t, answer(200, `{"id":1,"login":"a",`+tc.json+`}`))).GetAccount(t.Context(), "1")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Role).To(Equal(tc.role))
			g.Expect(got.State).To(Equal(tc.state))
			g.Expect(got.Blocked).To(Equal(tc.blocked))
		})
	}
}

func TestLastAuthenticated(t *testing.T) {
	day := time.Date(2026, 11, 1, 10, 11, 12, 0, time.UTC)
	cases := map[string]struct {
		json string
		want time.Time
	}{
		"RFC 3339":        {`"2026-11-01T10:11:12Z"`, day},
		"other zone":      {`"2026-11-01T12:11:12+02:00"`, day},
		"Java":            {`"2026-11-01T10:11:12.000+0000"`, day},
		"null is never":   {`null`, time.Time{}},
		"empty is never":  {`""`, time.Time{}},
		"with a fraction": {`"2026-11-01T10:11:12.5Z"`, day.Add(time.Second / 2)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			body := `{"id":1,"login":"a","lastAuthenticationDate":` + tc.json + `}`
			got, err := newClient(t, serve(t, answer(200, body))).GetAccount(t.Context(), "1")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.LastAuthenticated).To(Equal(tc.want))
		})
	}
}

func TestOnlyStatedFieldsAreSent(t *testing.T) {
	cases := map[string]struct {
		fields AccountFields
		want   string
	}{
		"none":  {AccountFields{}, `{}`},
		"empty": {AccountFields{Phone: new("")}, `{"phone":""}`},
		"all": {
			AccountFields{
				FirstName: new("Alice"), LastName: new("Martin"), Email: new("a@example.com"), Phone: new("+1"),
				Language: new("fr"), Role: new(RoleAdministrator), Blocked: new(false),
			},
			`{"blocked":false,"email":"a@example.com","firstName":"Alice","language":"fr","lastName":"Martin","phone":"+1","role":"ADMINISTRATOR"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, answer(200, aliceJSON))
			got, err := newClient(t, s).UpdateAccount(t.Context(), "48213", tc.fields)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got).To(Equal(alice))
			g.Expect(s.seen()[0].Body).To(Equal(tc.want))
		})
	}
}

func TestAnAnswerAboutAnotherAccountIsRefused(t *testing.T) {
	g := NewWithT(t)
	c := newClient(t, serve(t, answer(200, aliceJSON)))
	_, err := c.GetAccount(t.Context(), "1")
	g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
	got, err := c.UpdateAccount(t.Context(), "1", AccountFields{})
	g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
	g.Expect(got).To(Equal(Account{}))
}
