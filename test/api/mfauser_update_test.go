package api_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	connectionFixed = "connectionRef is immutable"
	loginFixed      = "login is immutable"
	secretFixed     = "code.secretName is immutable"
)

func TestMFAUserUpdate(t *testing.T) {
	cases := map[string]struct {
		before, after fields
		want          string // part of the error; "" for none
	}{
		"nothing": {},
		"all that may change": {after: fields{
			"firstName": "Alice", "email": "alice@example.com", "role": "Manager", "access": "Blocked", "groups": []any{group("staff", "User")},
			"deletionPolicy": "Retain", "managementPolicy": "Observe", "suspend": true, "code.generation": int64(2), "code.purpose": "AddDevice",
		}},
		"a stated field dropped": {before: fields{"firstName": "Alice", "groups": []any{}}, after: fields{"firstName": nil, "groups": nil}},
		"a lower generation":     {before: fields{"code.generation": int64(5)}, after: fields{"code.generation": int64(4)}},
		"the address that mail needs": {
			before: fields{"email": "a@b.c", "code.delivery": "Email"}, after: fields{"email": nil}, want: needsEmail,
		},

		"connection":                   {after: fields{"connectionRef.name": "other"}, want: connectionFixed},
		"connection namespace":         {before: fields{"connectionRef.namespace": "a"}, after: fields{"connectionRef.namespace": "b"}, want: connectionFixed},
		"connection namespace added":   {after: fields{"connectionRef.namespace": "default"}, want: connectionFixed},
		"connection namespace dropped": {before: fields{"connectionRef.namespace": "a"}, after: fields{"connectionRef.namespace": nil}, want: connectionFixed},
		"login":                        {after: fields{"login": "bob@example.com"}, want: loginFixed},
		"login in other letters":       {after: fields{"login": "Alice@example.com"}, want: loginFixed},

		"secret name":                      {before: fields{"code.secretName": "a"}, after: fields{"code.secretName": "b"}, want: secretFixed},
		"secret name added":                {after: fields{"code.secretName": "a"}, want: secretFixed},
		"secret name dropped":              {before: fields{"code.secretName": "a"}, after: fields{"code.secretName": nil}, want: secretFixed},
		"secret name dropped with code":    {before: fields{"code.secretName": "a"}, after: fields{"code": nil}, want: secretFixed},
		"the default secret name stated":   {after: fields{"code.secretName": "alice-mfa"}},
		"the default secret name unstated": {before: fields{"code.secretName": "alice-mfa"}, after: fields{"code": nil}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, ctx := NewWithT(t), t.Context()
			user := object(g, "MFAUser", newNamespace(ctx, g), "alice", tc.before)
			g.Expect(admin.Create(ctx, user)).To(Succeed())
			change(g, user, tc.after)
			expectOutcome(g, admin.Update(ctx, user, client.DryRunAll), tc.want)
		})
	}
}
