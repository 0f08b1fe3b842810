package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/gomega"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// audit is what the API server has noted of the manager since a moment.
type audit struct {
	w     *world
	since int
}

// audit begins to look from now on.
func (w *world) audit() audit {
	w.t.Helper()
	return audit{w, len(w.auditEvents())}
}

func (w *world) auditEvents() []auditv1.Event {
	w.t.Helper()
	events, err := cluster.AuditEvents(w.ctx)
	w.g.Expect(err).NotTo(HaveOccurred())
	return events
}

// ofManager returns the manager's requests, each once: a watch appears when it starts and when it ends.
func (a audit) ofManager() []auditv1.Event {
	a.w.t.Helper()
	var events []auditv1.Event
	for _, event := range a.w.auditEvents()[a.since:] {
		if event.User.Username == managerUser {
			events = append(events, event)
		}
	}
	return events
}

// writes counts the manager's writes by verb and resource. The lease, events, dry runs and questions that change nothing
// do not count.
func (a audit) writes() map[string]int {
	a.w.t.Helper()
	counts := map[string]int{}
	for _, event := range a.ofManager() {
		if event.ObjectRef == nil || strings.Contains(event.RequestURI, "dryRun=") {
			continue
		}
		if event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusConflict {
			continue // a pass whose copy was old: nothing was written, and the next pass sees why
		}
		resource := event.ObjectRef.Resource
		free := resource == "leases" || resource == "events" || strings.HasSuffix(resource, "reviews")
		if free || slices.Contains([]string{"get", "list", "watch"}, event.Verb) {
			continue
		}
		counts[event.Verb+" "+join(resource, event.ObjectRef.Subresource)]++
	}
	return counts
}

// denied lists the manager's requests that no rule allows.
func (a audit) denied() []string {
	a.w.t.Helper()
	var denied []string
	for _, event := range a.ofManager() {
		if event.Annotations["authorization.k8s.io/decision"] != "forbid" && !isForbidden(event) {
			continue
		}
		denied = append(denied, event.Verb+" "+event.RequestURI)
	}
	return denied
}

func isForbidden(event auditv1.Event) bool {
	return event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusForbidden
}

// used is which rules have allowed something, as role, resource and verb.
func (a audit) used() map[rule]bool {
	a.w.t.Helper()
	used := map[rule]bool{}
	for _, event := range a.ofManager() {
		ref := event.ObjectRef
		if ref == nil {
			continue
		}
		r := rule{
			role: roleIn(event.Annotations["authorization.k8s.io/reason"]), group: ref.APIGroup,
			resource: join(ref.Resource, ref.Subresource), verb: event.Verb,
		}
		used[r] = true
		if event.Verb == "patch" && event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusCreated {
			r.verb = "create" // an apply that creates is asked for this right too, which the log does not show
			used[r] = true
		}
	}
	return used
}

// roleIn reads `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to ServiceAccount "s/n"`.
func roleIn(reason string) string {
	_, rest, _ := strings.Cut(reason, " of ")
	kind, rest, _ := strings.Cut(rest, ` "`)
	name, _, _ := strings.Cut(rest, `"`)
	return fmt.Sprintf("%s %s", kind, name)
}

func join(resource, subresource string) string {
	if subresource == "" {
		return resource
	}
	return resource + "/" + subresource
}
