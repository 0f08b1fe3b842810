package mfaclient

import (
	"fmt"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
)

func TestListsFollowThePages(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200,
		`{"content":[{"id":1,"family":"ma","name":"phone","alias":"mine","state":0},{"id":2,"state":"1"}],"hasMore":true}`,
		`{"content":[{"id":2,"state":1},{"id":"d3","family":"va","state":2}],"hasMore":false}`))
	got, err := newClient(t, s).ListDevices(t.Context(), "48213")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal([]Device{
		{ID: "1", Family: "ma", Name: "phone", Alias: "mine"}, {ID: "2", State: 1}, {ID: "d3", Family: "va", State: 2},
	}))
	g.Expect(s.seen()).To(HaveLen(2))
	g.Expect(s.seen()[1].URI).To(HaveSuffix("/accounts/48213/devices?limit=100&page=1"))
}

func TestGroupsAndMemberships(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200, `{"content":[{"id":5,"name":"staff","role":"manager"},{"id":"6","name":"ops","role":"Custom"}],"hasMore":false}`))
	c := newClient(t, s)
	groups, err := c.ListGroups(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(groups).To(Equal([]Group{{ID: "5", Name: "staff"}, {ID: "6", Name: "ops"}}))
	memberships, err := c.ListAccountGroups(t.Context(), "1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(memberships).To(Equal([]Membership{
		{Group: Group{ID: "5", Name: "staff"}, Role: RoleManager}, {Group: Group{ID: "6", Name: "ops"}, Role: "Custom"},
	}))
}

func TestAuditPage(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200, `{"content":[{"id":1234567890123456789,"x":1},{"id":"2"}],"size":2,"hasMore":true}`))
	got, err := newClient(t, s).ExportAudit(t.Context(), "", 0, 50)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(AuditPage{Events: []AuditEvent{{ID: "1234567890123456789"}, {ID: "2"}}, HasMore: true}))
	g.Expect(s.seen()[0].URI).NotTo(ContainSubstring("fromId"))
}

func TestAListingThatGoesInCirclesIsMalformed(t *testing.T) {
	cases := map[string]struct {
		pages []string
		calls int
	}{
		"the same page":  {[]string{`{"content":[{"id":1}],"hasMore":true}`}, 2},
		"an empty page":  {[]string{`{"content":[{"id":1}],"hasMore":true}`, `{"content":[],"hasMore":true}`}, 2},
		"nothing at all": {[]string{`{"content":[],"hasMore":true}`}, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := serve(t, answer(200, tc.pages...))
			got, err := newClient(t, s).ListGroups(t.Context())
			g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
			g.Expect(fault(t, err).Operation).To(Equal("ListGroups"))
			g.Expect(got).To(BeNil())
			g.Expect(s.seen()).To(HaveLen(tc.calls))
		})
	}
}

func TestAListingThatNeverEndsIsMalformed(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"content":[{"id":"g%s"}],"hasMore":true}`, r.URL.Query().Get("page"))
	})
	_, err := newClient(t, s).ListGroups(t.Context())
	g.Expect(fault(t, err).Kind).To(Equal(KindMalformed))
	g.Expect(s.seen()).To(HaveLen(1000))
}

func TestAFaultOnALaterPageGivesNothing(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, answer(200, `{"content":[{"id":1}],"hasMore":true}`, `NOK:other`))
	got, err := newClient(t, s).ListDevices(t.Context(), "1")
	g.Expect(fault(t, err).Kind).To(Equal(KindInvalid))
	g.Expect(got).To(BeNil())
}
