package mfasim_test

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// sim calls the simulator's own side, without a token.
func (w *tenant) sim(want int, method, path, body string) object {
	with := w.token
	w.token = ""
	defer func() { w.token = with }()
	status, out := w.raw(method, "/_sim"+path, body)
	w.Expect(status).To(Equal(want), "%s %s: %v", method, path, out)
	return out
}

func TestAdminPlaysTheEndUser(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	_, made := w.create("alice", "2")
	link := made["link"].(string)
	live := w.sim(200, "GET", "/accounts/alice", "")["liveCode"]
	w.Expect(live).To(And(HaveKeyWithValue("code", made["code"]), HaveKeyWithValue("link", link), HaveKeyWithValue("purpose", "ENROLLMENT")))

	w.sim(204, "POST", "/use-code", `{"link":"`+link+`"}`)
	w.Expect(w.sim(400, "POST", "/use-code", `{"code":"`+link+`"}`)["message"]).To(ContainSubstring("has been used"))
	w.sim(204, "POST", "/authenticate", `{"login":"alice"}`)
	w.Expect(w.sim(200, "POST", "/devices", `{"login":"alice"}`)).To(HaveKey("id"))
	w.Expect(w.Devices("alice")).To(HaveLen(2))
	for range 3 {
		w.sim(204, "POST", "/mistype-pin", `{"login":"alice"}`)
	}
	state := w.sim(200, "GET", "/state", "")
	w.Expect(state["accounts"]).To(HaveLen(2))
	w.Expect(state["accounts"].([]any)[1]).To(And(HaveKeyWithValue("status", "PIN_BLOCKED"), Not(HaveKey("liveCode"))))
	for _, path := range []string{"/authenticate", "/mistype-pin", "/devices"} {
		w.sim(400, "POST", path, `{"login":"nobody"}`)
		w.sim(400, "POST", path, `nonsense`)
	}
}

func TestAdminListsDevicesAndMails(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, _ := w.create("alice", "2")
	w.must(200, "PATCH", path, `{"email":"a@example.com"}`)
	w.must(204, "POST", path+"/codes/send", "")
	for where, want := range map[string]int{"/_sim/outbox": 1, "/_sim/devices?login=alice": 0} {
		resp, err := w.send("GET", where, "")
		w.Expect(err).NotTo(HaveOccurred())
		var list []object
		w.Expect(json.NewDecoder(resp.Body).Decode(&list)).To(Succeed())
		w.Expect(resp.Body.Close()).To(Succeed())
		w.Expect(list).To(HaveLen(want), where)
	}
	w.sim(400, "GET", "/devices?login=nobody", "")
}

func TestAdminEditsAsTheConsole(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.sim(204, "POST", "/seed", `{"count":3,"prefix":"many"}`)
	w.Expect(w.Accounts()).To(HaveLen(4))
	made := w.sim(200, "POST", "/seed", `{"login":"bob@example.com","firstName":"Bob","status":"ACTIVATED"}`)
	w.Expect(made).To(And(HaveKeyWithValue("firstName", "Bob"), HaveKeyWithValue("status", "ACTIVATED")))
	w.sim(400, "POST", "/seed", `{"login":"BOB@example.com"}`)

	w.sim(204, "PATCH", "/accounts/bob@example.com", `{"lastName":"B","status":"PIN_BLOCKED"}`)
	bob, _ := w.Account("bob@example.com")
	w.Expect(bob).To(And(HaveField("FirstName", "Bob"), HaveField("LastName", "B"), HaveField("Status", mfasim.StatusPINBlocked)))
	w.sim(400, "PATCH", "/accounts/bob@example.com", `{"phone":"1","lastName":5}`)
	after, _ := w.Account("bob@example.com")
	w.Expect(after).To(Equal(bob), "a bad edit changes nothing")
	w.sim(400, "PATCH", "/accounts/nobody", `{}`)

	w.Expect(w.sim(200, "POST", "/groups", `{"name":"staff","login":"bob@example.com","role":"USER"}`)).To(HaveKeyWithValue("name", "staff"))
	w.Expect(w.Memberships("bob@example.com")).To(HaveLen(1))
	w.sim(400, "POST", "/groups", `{}`)
	w.sim(400, "POST", "/groups", `{"name":"staff","login":"nobody","role":"USER"}`)

	w.sim(204, "DELETE", "/accounts/bob@example.com", "")
	w.sim(400, "DELETE", "/accounts/bob@example.com", "")
	w.sim(400, "GET", "/accounts/bob@example.com", "")
}

func TestAdminMovesTheClock(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.create("alice", "0")
	w.Expect(w.sim(200, "POST", "/clock", `{"advance":"15m"}`)).To(Equal(object{"now": "2026-11-01T10:26:12Z"}))
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusExpired))
	w.Expect(w.sim(200, "GET", "/clock", "")).To(Equal(object{"now": "2026-11-01T10:26:12Z"}))
	w.sim(400, "POST", "/clock", `{"advance":"soon"}`)
}

func TestAdminTokens(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.token = w.sim(200, "POST", "/tokens", `{"life":"1h"}`)["token"].(string)
	w.Expect(claimsOf(w, w.token).ExpiresAt.Time).To(BeTemporally("==", start.Add(time.Hour)))
	w.must(200, "GET", "/accounts", "")
	w.sim(204, "POST", "/tokens", `{"revoke":"`+w.token+`"}`)
	w.refused(401, "UNAUTHORIZED", "GET", "/accounts", "")
	w.sim(204, "POST", "/tokens", `{"opaque":"x"}`)
	w.token = "x"
	w.must(200, "GET", "/accounts", "")
	w.sim(400, "POST", "/tokens", `{"life":"long"}`)
}

func TestAdminFaultsAndCalls(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.sim(204, "POST", "/faults", `{"operation":"ListAccounts","kind":"status","status":429,"retryAfter":"7"}`)
	w.sim(204, "POST", "/faults", `{"kind":"latency","latency":"1ms"}`)
	w.must(429, "GET", "/accounts", "")
	w.sim(204, "DELETE", "/faults", "")
	w.must(200, "GET", "/accounts", "")
	w.Expect(w.sim(200, "GET", "/calls", "")).To(Equal(object{"ListAccounts": json.Number("2")}), "this side is not counted")
	w.sim(204, "DELETE", "/calls", "")
	w.Expect(w.Calls()).To(BeEmpty())
	w.sim(400, "POST", "/faults", `{"kind":"typo"}`)
	w.sim(400, "POST", "/faults", `{"kind":"latency","latency":"x"}`)
	w.sim(404, "GET", "/nowhere", "")
}

func TestAdminHelp(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	resp, err := w.send("GET", "/_sim/", "")
	w.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	help, err := io.ReadAll(resp.Body)
	w.Expect(err).NotTo(HaveOccurred())
	for _, path := range []string{"state", "accounts/{login}", "seed", "groups", "use-code", "authenticate", "mistype-pin", "devices",
		"outbox", "tokens", "clock", "calls", "faults"} {
		w.Expect(string(help)).To(ContainSubstring("/_sim/" + path))
	}
}
