package api_test

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
)

func at(o *unstructured.Unstructured, path string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(o.Object, append([]string{"spec"}, strings.Split(path, ".")...)...)
	return value
}

func condition(reason string) []any {
	return []any{map[string]any{"type": "Ready", "status": "False", "reason": reason, "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}}
}

// createWithStatus creates an object and writes its status, which the first write must not have taken.
func createWithStatus(t *testing.T, g Gomega, o *unstructured.Unstructured, status map[string]any) {
	o.Object["status"] = status
	g.Expect(admin.Create(t.Context(), o)).To(Succeed())
	g.Expect(o.Object["status"]).To(Equal(map[string]any{"observedGeneration": int64(-1)}), "status is written through its subresource alone")
	o.Object["status"] = status
	g.Expect(admin.Status().Update(t.Context(), o)).To(Succeed())
}

func sampleUser(t *testing.T, g Gomega, namespace string) {
	createWithStatus(t, g, object(g, "MFAUser", namespace, "alice", nil), map[string]any{
		"accountID": "48213", "state": "PendingActivation", "conditions": condition("Waiting"),
		"code": map[string]any{"phase": "Active", "expiresAt": "2026-12-01T00:00:00Z"},
	})
}

func sampleConnection(t *testing.T, g Gomega, namespace string) {
	createWithStatus(t, g, object(g, "MFAConnection", namespace, "production", nil), map[string]any{
		"serviceID": "1234", "tokenSubject": "1234/admin", "tokenExpiresAt": "2027-12-01T00:00:00Z", "conditions": condition("TokenRejected"),
		"accounts": map[string]any{"total": int64(12), "managed": int64(7)},
	})
}

// TestColumns reads what people see, by the short names they type.
func TestColumns(t *testing.T) {
	g := NewWithT(t)
	namespace := newNamespace(t.Context(), g)
	sampleUser(t, g, namespace)
	sampleConnection(t, g, namespace)
	cases := map[string]struct {
		args        []string
		header, row string // row is a regular expression
	}{
		"mfau": {
			header: "NAME LOGIN STATE CODE READY REASON AGE",
			row:    `alice alice@example.com PendingActivation Active False Waiting \d+s`,
		},
		"mfau wide": {
			args:   []string{"-o", "wide"},
			header: "NAME LOGIN STATE CODE READY REASON AGE ACCOUNT CONNECTION CODE EXPIRY",
			row:    `alice alice@example.com PendingActivation Active False Waiting \d+s 48213 production 2026-12-01T00:00:00Z`,
		},
		"mfaconn": {
			header: "NAME URL SERVICE ACCOUNTS MANAGED READY REASON AGE",
			row:    `production https://kiwi.myinwebo.com 1234 12 7 False TokenRejected \d+s`,
		},
		"mfaconn wide": {
			args:   []string{"-o", "wide"},
			header: "NAME URL SERVICE ACCOUNTS MANAGED READY REASON AGE TOKEN SUBJECT TOKEN EXPIRY",
			row:    `production https://kiwi.myinwebo.com 1234 12 7 False TokenRejected \d+s 1234/admin 2027-12-01T00:00:00Z`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			kind, _, _ := strings.Cut(name, " ")
			out, err := kubectl(t.Context(), append([]string{"get", kind, "-n", namespace}, tc.args...)...)
			g.Expect(err).NotTo(HaveOccurred())
			lines := strings.Split(strings.TrimSpace(regexp.MustCompile(` +`).ReplaceAllString(out, " ")), "\n")
			g.Expect(lines).To(HaveLen(2))
			g.Expect(strings.TrimSpace(lines[0])).To(Equal(tc.header))
			g.Expect(strings.TrimSpace(lines[1])).To(MatchRegexp("^" + tc.row + "$"))
		})
	}
}

// TestCategory: kubectl get mfa shows both kinds.
func TestCategory(t *testing.T) {
	g := NewWithT(t)
	namespace := newNamespace(t.Context(), g)
	sampleUser(t, g, namespace)
	sampleConnection(t, g, namespace)
	out, err := kubectl(t.Context(), "get", "mfa", "-n", namespace, "-o", "name")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Fields(out)).To(ConsistOf("mfauser.trustbuilder-mfa.dev/alice", "mfaconnection.trustbuilder-mfa.dev/production"))
}

func TestSelectableFields(t *testing.T) {
	g := NewWithT(t)
	namespace := newNamespace(t.Context(), g)
	sampleUser(t, g, namespace)
	sampleConnection(t, g, namespace)
	cases := map[string]struct {
		list  client.ObjectList
		value string
	}{
		"spec.login":              {list: &v1alpha1.MFAUserList{}, value: "alice@example.com"},
		"spec.connectionRef.name": {list: &v1alpha1.MFAUserList{}, value: "production"},
		"status.accountID":        {list: &v1alpha1.MFAUserList{}, value: "48213"},
		"status.state":            {list: &v1alpha1.MFAUserList{}, value: "PendingActivation"},
		"spec.url":                {list: &v1alpha1.MFAConnectionList{}, value: "https://kiwi.myinwebo.com"},
		"status.serviceID":        {list: &v1alpha1.MFAConnectionList{}, value: "1234"},
	}
	for field, tc := range cases {
		t.Run(field, func(t *testing.T) {
			g := NewWithT(t)
			find := func(value string) int {
				err := admin.List(t.Context(), tc.list, client.InNamespace(namespace), client.MatchingFields{field: value})
				g.Expect(err).NotTo(HaveOccurred())
				return count(tc.list)
			}
			g.Expect(find(tc.value)).To(Equal(1))
			g.Expect(find("another")).To(Equal(0))
		})
	}
}

func count(list client.ObjectList) int {
	switch l := list.(type) {
	case *v1alpha1.MFAUserList:
		return len(l.Items)
	case *v1alpha1.MFAConnectionList:
		return len(l.Items)
	}
	return -1
}
