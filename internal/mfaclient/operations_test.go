package mfaclient

import (
	"context"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
)

// operations calls every method once with fixed arguments.
var operations = map[string]struct {
	call   func(context.Context, *Client) error
	want   string // method and URI
	body   string // sent
	status int
	answer string
}{
	opListAccounts: {
		call:   func(ctx context.Context, c *Client) error { _, err := c.ListAccounts(ctx, 3, 100); return err },
		want:   "GET /auth/v1/customer/services/accounts?limit=100&page=3",
		status: 200, answer: `{"content":[],"hasMore":false}`,
	},
	opCreateAccount: {
		call: func(ctx context.Context, c *Client) error {
			_, _, err := c.CreateAccount(ctx, CreateAccountRequest{Login: "alice", CodeType: CodeTypeLink})
			return err
		},
		want: "POST /auth/v1/customer/services/accounts", body: `{"codeType":2,"login":"alice"}`,
		status: 201, answer: `{"id":1,"login":"alice","code":"c","link":"l"}`,
	},
	opGetAccount: {
		call: func(ctx context.Context, c *Client) error { _, err := c.GetAccount(ctx, "1"); return err },
		want: "GET /auth/v1/customer/services/accounts/1", status: 200, answer: `{"id":1,"login":"alice"}`,
	},
	opUpdateAccount: {
		call: func(ctx context.Context, c *Client) error {
			_, err := c.UpdateAccount(ctx, "1", AccountFields{Blocked: new(true)})
			return err
		},
		want: "PATCH /auth/v1/customer/services/accounts/1", body: `{"blocked":true}`,
		status: 200, answer: `{"id":"1","login":"alice"}`,
	},
	opDeleteAccount: {
		call: func(ctx context.Context, c *Client) error { return c.DeleteAccount(ctx, "1") },
		want: "DELETE /auth/v1/customer/services/accounts/1", status: 204,
	},
	opIssueCode: {
		call: func(ctx context.Context, c *Client) error {
			_, err := c.IssueCode(ctx, "1", PurposeAddDevice, CodeTypeShort)
			return err
		},
		want: "POST /auth/v1/customer/services/accounts/1/codes", body: `{"codeType":0,"purpose":"ADD_DEVICE"}`,
		status: 201, answer: `{"code":"c","codeType":0}`,
	},
	opActivateCode: {
		call: func(ctx context.Context, c *Client) error { _, err := c.ActivateCode(ctx, "1"); return err },
		want: "POST /auth/v1/customer/services/accounts/1/codes/activate", status: 200, answer: `{"code":"c"}`,
	},
	opSendCode: {
		call: func(ctx context.Context, c *Client) error { return c.SendCode(ctx, "1") },
		want: "POST /auth/v1/customer/services/accounts/1/codes/send", status: 204,
	},
	opResetPINErrors: {
		call: func(ctx context.Context, c *Client) error { return c.ResetPINErrors(ctx, "1") },
		want: "POST /auth/v1/customer/services/accounts/1/pin-errors/reset", status: 204,
	},
	opListDevices: {
		call:   func(ctx context.Context, c *Client) error { _, err := c.ListDevices(ctx, "1"); return err },
		want:   "GET /auth/v1/customer/services/accounts/1/devices?limit=100&page=0",
		status: 200, answer: `{"content":[],"hasMore":false}`,
	},
	opDeleteDevice: {
		call: func(ctx context.Context, c *Client) error { return c.DeleteDevice(ctx, "1", "d") },
		want: "DELETE /auth/v1/customer/services/accounts/1/devices/d", status: 204,
	},
	opListGroups: {
		call: func(ctx context.Context, c *Client) error { _, err := c.ListGroups(ctx); return err },
		want: "GET /auth/v1/customer/services/groups?limit=100&page=0", status: 200, answer: `{"content":[],"hasMore":false}`,
	},
	opListAccountGroups: {
		call:   func(ctx context.Context, c *Client) error { _, err := c.ListAccountGroups(ctx, "1"); return err },
		want:   "GET /auth/v1/customer/services/accounts/1/groups?limit=100&page=0",
		status: 200, answer: `{"content":[],"hasMore":false}`,
	},
	opPutMembership: {
		call: func(ctx context.Context, c *Client) error { return c.PutMembership(ctx, "g", "1", RoleManager) },
		want: "PUT /auth/v1/customer/services/groups/g/accounts/1", body: `{"role":"MANAGER"}`, status: 204,
	},
	opDeleteMembership: {
		call: func(ctx context.Context, c *Client) error { return c.DeleteMembership(ctx, "g", "1") },
		want: "DELETE /auth/v1/customer/services/groups/g/accounts/1", status: 204,
	},
	opExportAudit: {
		call: func(ctx context.Context, c *Client) error {
			_, err := c.ExportAudit(ctx, "1234567890123456789", 2, 10000)
			return err
		},
		want:   "GET /audit/v2/customer/export/online?fromId=1234567890123456789&limit=10000&page=2",
		status: 200, answer: `{"content":[],"size":0,"hasMore":false}`,
	},
}

func TestEveryOperationSpeaksTheContract(t *testing.T) {
	NewWithT(t).Expect(operations).To(HaveLen(len(routeTable)))
	for name, tc := range operations {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, answer(tc.status, tc.answer))
			var calls []Call
			c := newClient(t, s, func(cfg *Config) { cfg.Observe = func(call Call) { calls = append(calls, call) } })

			g.Expect(tc.call(t.Context(), c)).To(Succeed())

			g.Expect(s.seen()).To(HaveLen(1))
			got := s.seen()[0]
			g.Expect(got.Method + " " + got.URI).To(Equal(tc.want))
			g.Expect(got.Body).To(Equal(tc.body))
			g.Expect(got.Header).To(HaveKeyWithValue("Authorization", []string{"Bearer " + testToken}))
			g.Expect(got.Header).To(HaveKeyWithValue("Accept", []string{"application/json"}))
			g.Expect(got.Header).To(HaveKeyWithValue("User-Agent", []string{"trustbuilder-mfa-operator"}))
			if tc.body != "" {
				g.Expect(got.Header).To(HaveKeyWithValue("Content-Type", []string{"application/json"}))
			}
			g.Expect(calls).To(Equal([]Call{{Operation: name, Outcome: "ok", Status: tc.status}}))
		})
	}
}

func TestIDsStayInTheirPathSegment(t *testing.T) {
	cases := map[string]struct {
		id   AccountID
		want string // "" when the call must not go out
	}{
		"climbing":     {"../x", "/auth/v1/customer/services/accounts/..%2Fx"},
		"query":        {"1?x=y#z", "/auth/v1/customer/services/accounts/1%3Fx=y%23z"},
		"percent":      {"%2e%2e", "/auth/v1/customer/services/accounts/%252e%252e"},
		"placeholder":  {"{groupId}", "/auth/v1/customer/services/accounts/%7BgroupId%7D"},
		"line break":   {"1\r\nX: y", "/auth/v1/customer/services/accounts/1%0D%0AX:%20y"},
		"beyond 2^53":  {"9007199254740993", "/auth/v1/customer/services/accounts/9007199254740993"},
		"empty":        {"", ""},
		"one dot":      {".", ""},
		"two dots":     {"..", ""},
		"a letter umz": {"é", "/auth/v1/customer/services/accounts/%C3%A9"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, answer(http.StatusNoContent, ""))
			err := newClient(t, s).DeleteAccount(t.Context(), tc.id)
			if tc.want == "" {
				g.Expect(fault(t, err).Kind).To(Equal(KindInvalid))
				g.Expect(s.seen()).To(BeEmpty())
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(s.seen()[0].URI).To(Equal(tc.want))
		})
	}
}
