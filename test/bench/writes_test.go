package main

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

func TestCountWrites(t *testing.T) {
	start := time.Unix(1000, 0)
	w := window{start, start.Add(time.Minute)}
	cases := map[string]struct {
		edit func(*auditv1.Event)
		want map[string]int
	}{
		"a write":                 {func(*auditv1.Event) {}, map[string]int{"patch secrets": 1}},
		"a write of a status":     {func(e *auditv1.Event) { e.ObjectRef.Subresource = "status" }, map[string]int{"patch secrets/status": 1}},
		"a refused write":         {func(e *auditv1.Event) { e.ResponseStatus = &metav1.Status{Code: 409} }, map[string]int{"patch secrets": 1}},
		"a write after the phase": {func(e *auditv1.Event) { e.RequestReceivedTimestamp.Time = w.to }, map[string]int{}},
		"a write before it":       {func(e *auditv1.Event) { e.RequestReceivedTimestamp.Time = start.Add(-1) }, map[string]int{}},
		"somebody else's":         {func(e *auditv1.Event) { e.User.Username = "admin" }, map[string]int{}},
		"a read":                  {func(e *auditv1.Event) { e.Verb = "get" }, map[string]int{}},
		"a dry run":               {func(e *auditv1.Event) { e.RequestURI += "&dryRun=All" }, map[string]int{}},
		"an event":                {func(e *auditv1.Event) { e.ObjectRef.Resource = "events" }, map[string]int{}},
		"a lease":                 {func(e *auditv1.Event) { e.ObjectRef.Resource = "leases" }, map[string]int{}},
		"no object":               {func(e *auditv1.Event) { e.ObjectRef = nil }, map[string]int{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			event := auditv1.Event{
				Verb: "patch", User: authenticationv1.UserInfo{Username: operatorUser},
				RequestURI:               "/api/v1/namespaces/users/secrets/user-00001-mfa?fieldManager=x",
				ObjectRef:                &auditv1.ObjectReference{Resource: "secrets"},
				RequestReceivedTimestamp: metav1.NewMicroTime(start),
			}
			tc.edit(&event)
			NewWithT(t).Expect(countWrites([]auditv1.Event{event}, operatorUser, w)).To(Equal(tc.want))
		})
	}
}
