package mfasim_test

import (
	"encoding/json"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestListGroups(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	for i := range 101 {
		w.AddGroup(fmt.Sprintf("group-%d", i))
	}
	id := w.AddGroup("group-0")
	w.Expect(w.Groups()).To(HaveLen(101), "a name that exists is not made twice")
	out := w.must(200, "GET", "/groups?limit=100", "")
	w.Expect(out["content"].([]any)[0]).To(Equal(object{"id": json.Number(id.String()), "name": "group-0"}))
	w.Expect(out["hasMore"]).To(BeTrue())
	w.Expect(field(w.must(200, "GET", "/groups?limit=100&page=1", ""), "name")).To(Equal([]any{"group-100"}))
	w.refused(404, "NOT_FOUND", "POST", "/groups", `{"name":"x"}`)
}

func TestMemberships(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	staff, admins := w.AddGroup("staff"), w.AddGroup("admins")
	alice := w.Seed(mfasim.Account{Login: "alice"})
	groups := "/accounts/" + alice.ID.String() + "/groups"
	place := func(group mfasim.ID) string { return "/groups/" + group.String() + "/accounts/" + alice.ID.String() }

	w.Expect(w.must(200, "GET", groups, "")).To(Equal(object{"content": []any{}, "hasMore": false}))
	w.Expect(w.must(204, "PUT", place(admins), `{"role":"USER"}`)).To(BeNil())
	w.must(204, "PUT", place(staff), `{"role":1}`)
	w.must(204, "PUT", place(admins), `{"role":"ADMINISTRATOR"}`)
	w.Expect(w.must(200, "GET", groups, "")["content"]).To(Equal([]any{
		object{"id": json.Number(staff.String()), "name": "staff", "role": "MANAGER"},
		object{"id": json.Number(admins.String()), "name": "admins", "role": "ADMINISTRATOR"},
	}))

	w.Expect(w.must(204, "DELETE", place(staff), "")).To(BeNil())
	w.refused(404, "MEMBERSHIP_NOT_FOUND", "DELETE", place(staff), "")
	w.Expect(w.Memberships("alice")).To(Equal([]mfasim.Membership{{GroupID: admins, Group: "admins", Role: "ADMINISTRATOR"}}))
}

func TestMembershipsRefuse(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	staff := "/groups/" + w.AddGroup("staff").String()
	alice := w.seed(mfasim.Account{Login: "alice"})
	w.refused(422, "INVALID", "PUT", staff+alice, `{}`)
	w.refused(422, "INVALID", "PUT", staff+alice, `{"role":"KING"}`)
	w.refused(400, "MALFORMED_BODY", "PUT", staff+alice, ``)
	w.refused(404, "GROUP_NOT_FOUND", "PUT", "/groups/1"+alice, `{"role":"USER"}`)
	w.refused(404, "GROUP_NOT_FOUND", "DELETE", "/groups/x"+alice, "")
	w.refused(404, "ACCOUNT_NOT_FOUND", "PUT", staff+"/accounts/1", `{"role":"USER"}`)
	w.refused(404, "ACCOUNT_NOT_FOUND", "GET", "/accounts/1/groups", "")
	w.Expect(w.Memberships("alice")).To(BeEmpty())
}

func TestMembershipsInTheConsole(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.Seed(mfasim.Account{Login: "alice"})
	w.Expect(w.SetMembership("alice", "staff", "USER")).To(MatchError(mfasim.ErrNoGroup))
	w.AddGroup("staff")
	w.Expect(w.SetMembership("nobody", "staff", "USER")).To(MatchError(mfasim.ErrNoAccount))
	w.Expect(w.SetMembership("alice", "staff", "HELPDESK")).To(Succeed())
	w.Expect(w.Memberships("alice")).To(ConsistOf(HaveField("Role", "HELPDESK")))
	w.Expect(w.SetMembership("alice", "staff", "")).To(Succeed())
	w.Expect(w.Memberships("alice")).To(BeEmpty())
}
