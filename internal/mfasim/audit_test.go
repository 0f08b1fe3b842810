package mfasim_test

import (
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const auditPath = "/audit/v2/customer/export/online"

func TestExportAudit(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, made := w.create("alice", "0")
	w.Expect(w.UseCode(made["code"].(string))).To(Succeed())
	w.Expect(w.Authenticate("alice")).To(Succeed())
	w.must(204, "DELETE", path, "")

	_, out := w.raw("GET", auditPath, "")
	w.Expect(out).To(Equal(object{"content": []any{}, "size": json.Number("0"), "hasMore": false}), "not refreshed yet")

	w.clock.Step(5 * time.Minute)
	status, out := w.raw("GET", auditPath, "")
	w.Expect(status).To(Equal(200))
	w.Expect(field(out, "type")).To(Equal([]any{"ACCOUNT_CREATED", "CODE_USED", "AUTHENTICATED", "ACCOUNT_DELETED"}))
	w.Expect(field(out, "by")).To(Equal([]any{mfasim.DefaultAdminLogin, "alice", "alice", mfasim.DefaultAdminLogin}))
	w.Expect(out["size"]).To(Equal(json.Number("4")))
	ids := field(out, "id")
	w.Expect(ids).To(HaveEach(HaveLen(19)))

	_, out = w.raw("GET", auditPath+"?limit=1&page=1&fromId="+ids[1].(json.Number).String(), "")
	w.Expect(field(out, "type")).To(Equal([]any{"AUTHENTICATED"}), "the second from the second event on")
	w.Expect(out["hasMore"]).To(BeTrue())

	w.clock.Step(5*7*day + time.Minute)
	_, out = w.raw("GET", auditPath, "")
	w.Expect(out["content"]).To(BeEmpty(), "thrown away after five weeks")
}

func TestExportAuditRefuses(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	for query, code := range map[string]string{"?fromId=12": "INVALID_FROM_ID", "?fromId=abcdefghijklmnopqrs": "INVALID_FROM_ID", "?page=-1": "INVALID_PAGE"} {
		status, out := w.raw("GET", auditPath+query, "")
		w.Expect(status).To(Equal(400))
		w.Expect(out).To(HaveKeyWithValue("error", code))
	}
}
