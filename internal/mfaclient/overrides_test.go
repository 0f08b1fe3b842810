package mfaclient

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func load(t *testing.T, file string) Routes {
	t.Helper()
	r, err := LoadRoutes(strings.NewReader(file))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return r
}

func TestAnEmptyFileChangesNothing(t *testing.T) {
	for _, file := range []string{"", "{}", "# nothing\n", "operations: {}\nfields:\nvalues: {}\n"} {
		NewWithT(t).Expect(load(t, file)).To(Equal(DefaultRoutes()), file)
	}
}

func TestOverridesReachTheWire(t *testing.T) {
	g := NewWithT(t)
	routes := load(t, `
operations:
  CreateAccount: {method: PUT, path: /x/accounts}
  DeleteAccount: {path: "/x/accounts/{id}/remove"}
  ListAccounts: {path: /x/accounts}
fields:
  content: items
  hasMore: more
  page: offset
  id: key
  account.id: userId
  login: loginName
  role: right
  codeType: kind
  code: secret
values:
  PENDING_ACTIVATION: new
  ADMINISTRATOR: boss
`)
	s := serve(t, answer(200,
		`{"items":[{"userId":1,"loginName":"a","status":"NEW","right":"Boss"},{"userId":2,"loginName":"b","right":"2","status":"PENDING_ACTIVATION"}],"more":false}`,
		`{"userId":3,"loginName":"c","secret":"s","kind":1}`,
		`{"deleted":true}`,
		`{"items":[{"key":"g","name":"staff"}],"more":false}`))
	c := newClient(t, s, func(cfg *Config) { cfg.Routes = routes })

	page, err := c.ListAccounts(t.Context(), 4, 9)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(page.Accounts).To(Equal([]Account{
		{ID: "1", Login: "a", Role: RoleAdministrator, State: StatePendingActivation},
		{ID: "2", Login: "b", Role: RoleAdministrator, State: StatePendingActivation},
	}))
	_, code, err := c.CreateAccount(t.Context(), CreateAccountRequest{
		Login: "c", CodeType: CodeTypeShort, Fields: AccountFields{Role: new(RoleAdministrator)},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(code).To(Equal(IssuedCode{Code: NewCode("s"), Type: CodeTypeInactive}))
	g.Expect(c.DeleteAccount(t.Context(), "3")).To(Succeed())
	groups, err := c.ListGroups(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(groups).To(Equal([]Group{{ID: "g", Name: "staff"}}))

	got := s.seen()
	g.Expect(got[0].URI).To(Equal("/x/accounts?limit=9&offset=4"))
	g.Expect(got[1].Method + " " + got[1].URI).To(Equal("PUT /x/accounts"))
	g.Expect(got[1].Body).To(Equal(`{"kind":0,"loginName":"c","right":"boss"}`))
	g.Expect(got[2].Method + " " + got[2].URI).To(Equal("DELETE /x/accounts/3/remove"))
	g.Expect(got[3].URI).To(HavePrefix("/auth/v1/customer/services/groups?"))
}

func TestAnOverriddenOperationStaysUnrepeatable(t *testing.T) {
	g := NewWithT(t)
	routes := load(t, `operations: {CreateAccount: {method: PUT}}`)
	c := newClient(t, serve(t, answer(500, "")), func(cfg *Config) { cfg.Routes = routes })
	_, _, err := c.CreateAccount(t.Context(), CreateAccountRequest{Login: "a"})
	g.Expect(fault(t, err).Unclear).To(BeTrue())
}

func TestBadOverridesNameTheKey(t *testing.T) {
	cases := map[string]struct{ file, want string }{
		"no YAML":                  {"operations: [", "read overrides"},
		"unknown section":          {"routes: {}", `unknown field "routes"`},
		"section twice":            {"fields: {}\nfields: {}", `"fields" already`},
		"unknown operation":        {"operations: {MakeAccount: {method: POST}}", "operations.MakeAccount: no such operation"},
		"unknown key":              {"operations: {GetAccount: {url: /x}}", `unknown field "url"`},
		"method of no use":         {"operations: {GetAccount: {method: FETCH}}", "operations.GetAccount: method"},
		"small letters":            {"operations: {GetAccount: {method: get}}", "operations.GetAccount: method"},
		"a write as GET":           {"operations: {CreateAccount: {method: GET}}", "operations.CreateAccount: method"},
		"a read as DELETE":         {"operations: {GetAccount: {method: DELETE}}", "operations.GetAccount: method"},
		"URL":                      {"operations: {CreateAccount: {path: 'https://evil.example/x'}}", "operations.CreateAccount: path"},
		"URL without scheme":       {"operations: {CreateAccount: {path: //evil.example/x}}", "operations.CreateAccount: path"},
		"relative":                 {"operations: {CreateAccount: {path: x}}", "operations.CreateAccount: path"},
		"query":                    {"operations: {CreateAccount: {path: '/x?y=z'}}", "operations.CreateAccount: path"},
		"fragment":                 {"operations: {CreateAccount: {path: '/x#y'}}", "operations.CreateAccount: path"},
		"user":                     {"operations: {CreateAccount: {path: '@evil.example/'}}", "operations.CreateAccount: path"},
		"climbing":                 {"operations: {CreateAccount: {path: /x/../y}}", "operations.CreateAccount: path"},
		"space":                    {"operations: {CreateAccount: {path: /x y}}", "operations.CreateAccount: path"},
		"stray brace":              {"operations: {CreateAccount: {path: '/x/{'}}", "operations.CreateAccount: path"},
		"placeholder left out":     {"operations: {GetAccount: {path: /x}}", "operations.GetAccount: path: must have the placeholders [{id}]"},
		"one of two left out":      {"operations: {DeleteDevice: {path: '/x/{id}'}}", "[{deviceId} {id}]"},
		"placeholder twice":        {"operations: {GetAccount: {path: '/x/{id}/{id}'}}", "operations.GetAccount: path"},
		"other placeholder":        {"operations: {GetAccount: {path: '/x/{login}'}}", "operations.GetAccount: path"},
		"one too many":             {"operations: {ListGroups: {path: '/x/{id}'}}", "operations.ListGroups: path"},
		"unknown field":            {"fields: {colour: red}", "fields.colour: no such field"},
		"field of the wrong scope": {"fields: {device.login: x}", "fields.device.login: no such field"},
		"scope as a field":         {"fields: {account: x}", "fields.account: no such field"},
		"empty field":              {"fields: {'': x}", "no such field"},
		"empty wire name":          {"fields: {login: ' '}", "fields.login: the wire name is empty"},
		"one name for two":         {"fields: {firstName: name, lastName: name}", "fields.account.lastName: the wire name is already that of account.firstName"},
		"name of an other":         {"fields: {link: code}", "the wire name is already that of code.code"},
		"code as an account field": {"fields: {code: login}", "the wire name is already that of account.login"},
		"unknown value":            {"values: {SUSPENDED: x}", "values.SUSPENDED: no such"},
		"empty value":              {"values: {USER: ''}", "values.USER: the spelling is empty"},
		"one spelling for two":     {"values: {USER: x, MANAGER: X}", "values.USER: the spelling is already that of MANAGER"},
		"spelling of an other":     {"values: {EXPIRED: blocked}", "values.EXPIRED: the spelling is already that of BLOCKED"},
		"too long":                 {strings.Repeat("#", 1<<20) + "\n", "larger than 1 MiB"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r, err := LoadRoutes(strings.NewReader(tc.file))
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
			g.Expect(r).To(Equal(Routes{}))
		})
	}
}

func TestTwoSpellingsMayBeSwapped(t *testing.T) {
	g := NewWithT(t)
	n := load(t, "values: {EXPIRED: BLOCKED, BLOCKED: EXPIRED}").names
	g.Expect(n.decode("expired")).To(Equal("BLOCKED"))
	g.Expect(n.decode("blocked")).To(Equal("EXPIRED"))
}

func TestTheTablesAreNotShared(t *testing.T) {
	load(t, "operations: {SendCode: {path: '/x/{id}'}}\nfields: {login: x}\nvalues: {USER: x}")
	g := NewWithT(t)
	g.Expect(DefaultRoutes().Table()).NotTo(ContainSubstring("`x`"))
	g.Expect(DefaultRoutes().operations[opSendCode].Path).To(Equal("/auth/v1/customer/services/accounts/{id}/codes/send"))
	g.Expect(DefaultRoutes().names.encode("USER")).To(Equal("USER"))
}

func TestTable(t *testing.T) {
	g := NewWithT(t)
	table := load(t, "operations: {SendCode: {method: PUT}}\nfields: {account.login: loginName}").Table()
	g.Expect(table).To(HavePrefix("| operation | call | mark |\n|---|---|---|\n| ListAccounts | `GET /auth/v1/customer/services/accounts` | documented |\n"))
	for _, line := range []string{
		"| SendCode | `PUT /auth/v1/customer/services/accounts/{id}/codes/send` | assumed |",
		"| ExportAudit | `GET /audit/v2/customer/export/online` | seen |",
		"| `account.login` | `loginName` |",
		"| `page.content` | `content` |",
	} {
		g.Expect(strings.Split(table, "\n")).To(ContainElement(line))
	}
	g.Expect(strings.Count(table, "| documented |")).To(Equal(1))
	g.Expect(strings.Count(table, "| seen |")).To(Equal(1))
	g.Expect(strings.Count(table, "| assumed |")).To(Equal(14))
}
