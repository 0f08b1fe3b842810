package main

import (
	"slices"
	"strings"
	"time"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// window is the time of one phase.
type window struct{ from, to time.Time }

func (w window) holds(t time.Time) bool { return !t.Before(w.from) && t.Before(w.to) }

var writeVerbs = []string{"create", "update", "patch", "delete", "deletecollection"}

// countWrites counts what a user wrote within a window, by verb and resource. Events, leases and dry runs are left out;
// writes that the API server refused are not.
func countWrites(events []auditv1.Event, user string, w window) map[string]int {
	counts := map[string]int{}
	for _, e := range events {
		if e.User.Username != user || !slices.Contains(writeVerbs, e.Verb) || !w.holds(e.RequestReceivedTimestamp.Time) {
			continue
		}
		if e.ObjectRef == nil || e.ObjectRef.Resource == "events" || e.ObjectRef.Resource == "leases" || strings.Contains(e.RequestURI, "dryRun=") {
			continue
		}
		resource := e.ObjectRef.Resource
		if e.ObjectRef.Subresource != "" {
			resource += "/" + e.ObjectRef.Subresource
		}
		counts[e.Verb+" "+resource]++
	}
	return counts
}
