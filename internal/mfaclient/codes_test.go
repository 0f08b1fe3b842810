package mfaclient

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestCreateAccountHandsOutTheCode(t *testing.T) {
	g := NewWithT(t)
	body := strings.Replace(aliceJSON, "{", `{"code":"c0de","link":"https://x/l1nk","codeType":2,"expiresAt":"2026-11-22T10:00:00Z",`, 1)
	s := serve(t, answer(201, body))
	made, code, err := newClient(t, s).CreateAccount(t.Context(), CreateAccountRequest{
		Login: "alice", CodeType: CodeTypeLink, Fields: AccountFields{FirstName: new("Alice"), Role: new(RoleUser)},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made).To(Equal(alice))
	g.Expect(string(code.Code.Reveal())).To(Equal("c0de"))
	g.Expect(string(code.Link.Reveal())).To(Equal("https://x/l1nk"))
	g.Expect(code.Type).To(Equal(CodeTypeLink))
	g.Expect(code.ExpiresAt).To(Equal(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)))
	g.Expect(s.seen()[0].Body).To(Equal(`{"codeType":2,"firstName":"Alice","login":"alice","role":"USER"}`))
}

func TestAnAccountWithoutItsCodeIsUnclear(t *testing.T) {
	g := NewWithT(t)
	made, code, err := newClient(t, serve(t, answer(201, aliceJSON))).CreateAccount(t.Context(), CreateAccountRequest{Login: "alice"})
	e := fault(t, err)
	g.Expect(e.Kind).To(Equal(KindMalformed))
	g.Expect(e.Reason).To(Equal("code.code is missing"))
	g.Expect(e.Unclear).To(BeTrue())
	g.Expect(made).To(Equal(Account{}))
	g.Expect(code).To(Equal(IssuedCode{}))
}

func TestIssueCodeReadsWhatThereIs(t *testing.T) {
	cases := map[string]struct {
		asked CodeType
		body  string
		want  IssuedCode
		fault bool
	}{
		"short":                  {CodeTypeShort, `{"code":"c","codeType":0}`, IssuedCode{Code: NewCode("c")}, false},
		"type as the service":    {CodeTypeLink, `{"code":"c","codeType":"1"}`, IssuedCode{Code: NewCode("c"), Type: CodeTypeInactive}, false},
		"type left out":          {CodeTypeLink, `{"link":"l"}`, IssuedCode{Link: NewCode("l"), Type: CodeTypeLink}, false},
		"type of the future":     {CodeTypeInactive, `{"code":"c","codeType":9}`, IssuedCode{Code: NewCode("c"), Type: CodeTypeInactive}, false},
		"type that is a word":    {CodeTypeInactive, `{"code":"c","codeType":"X"}`, IssuedCode{Code: NewCode("c"), Type: CodeTypeInactive}, false},
		"code of digits":         {CodeTypeShort, `{"code":123456789}`, IssuedCode{Code: NewCode("123456789")}, false},
		"expiry that is none":    {CodeTypeShort, `{"code":"c","expiresAt":"soon"}`, IssuedCode{Code: NewCode("c")}, false},
		"expiry null":            {CodeTypeShort, `{"code":"c","expiresAt":null}`, IssuedCode{Code: NewCode("c")}, false},
		"short with a link only": {CodeTypeShort, `{"link":"l"}`, IssuedCode{}, true},
		"empty code":             {CodeTypeShort, `{"code":""}`, IssuedCode{}, true},
		"link with neither":      {CodeTypeLink, `{"codeType":2}`, IssuedCode{}, true},
		"code is a list":         {CodeTypeShort, `{"code":["c"]}`, IssuedCode{}, true},
		"nothing":                {CodeTypeShort, ``, IssuedCode{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got, err := newClient(t, serve(t, answer(201, tc.body))).IssueCode(t.Context(), "1", PurposeUnlock, tc.asked)
			g.Expect(got).To(Equal(tc.want))
			if !tc.fault {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
			g.Expect(fault(t, err).Unclear).To(BeTrue())
		})
	}
}

func TestActivateCode(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200, `{"code":"c","expiresAt":"2026-11-01T10:15:00Z"}`, `{}`))
	c := newClient(t, s)
	got, err := c.ActivateCode(t.Context(), "1")
	g.Expect(err).NotTo(HaveOccurred())
	want := IssuedCode{Code: NewCode("c"), Type: CodeTypeInactive, ExpiresAt: testStart.Add(15 * time.Minute)}
	g.Expect(got).To(Equal(want))

	_, err = c.ActivateCode(t.Context(), "1")
	g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
	g.Expect(fault(t, err).Unclear).To(BeFalse(), "activating may be repeated")
}

func TestPurposesOnTheWire(t *testing.T) {
	cases := map[Purpose]string{
		PurposeEnrollment: "ENROLLMENT", PurposeAddDevice: "ADD_DEVICE", PurposeUnlock: "UNLOCK", PurposeRestore: "RESTORE",
	}
	for purpose, want := range cases {
		t.Run(want, func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, answer(201, `{"code":"c"}`))
			_, err := newClient(t, s).IssueCode(t.Context(), "1", purpose, CodeTypeInactive)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(s.seen()[0].Body).To(Equal(fmt.Sprintf(`{"codeType":1,"purpose":%q}`, want)))
		})
	}
}
