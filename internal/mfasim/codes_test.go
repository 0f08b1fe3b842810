package mfasim_test

import (
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

const day = 24 * time.Hour

func TestCodeFormsAndLifetimes(t *testing.T) {
	cases := map[string]struct {
		codeType int
		opts     mfasim.Options
		length   int
		life     time.Duration
	}{
		"short code":     {0, mfasim.Options{}, 9, 15 * time.Minute},
		"inactive code":  {1, mfasim.Options{}, 9, 21 * day},
		"link":           {2, mfasim.Options{}, 26, 21 * day},
		"a tenant's own": {2, mfasim.Options{Lifetimes: mfasim.Lifetimes{Link: time.Hour}}, 26, time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, tc.opts)
			path := w.seed(mfasim.Account{Login: "alice", Status: mfasim.StatusActivated})
			body, _ := json.Marshal(object{"purpose": "ADD_DEVICE", "codeType": tc.codeType})
			out := w.must(201, "POST", path+"/codes", string(body))
			code := w.live("alice")
			want := object{"code": code, "codeType": out["codeType"], "expiresAt": start.Add(tc.life).Format(time.RFC3339)}
			if tc.codeType == 2 {
				want["link"] = "https://activation.example.com/enrol?code=" + code
			}
			w.Expect(out).To(Equal(want))
			w.Expect(out["codeType"]).To(BeEquivalentTo(json.Number(string(rune('0' + tc.codeType)))))
			w.Expect(code).To(MatchRegexp("^[A-Z0-9]{%d}$", tc.length))

			w.clock.Step(tc.life - time.Second)
			w.Expect(w.live("alice")).To(Equal(code))
			w.clock.Step(time.Second)
			w.Expect(w.live("alice")).To(BeEmpty())
			w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrCodeExpired))
		})
	}
}

func TestExpiresAtMayBeMissing(t *testing.T) {
	w := newTenant(t, mfasim.Options{OmitExpiresAt: true})
	path, _ := w.create("alice", "1")
	w.Expect(w.must(200, "POST", path+"/codes/activate", "")).NotTo(HaveKey("expiresAt"))
	w.Expect(w.must(201, "POST", path+"/codes", `{"purpose":"ENROLLMENT","codeType":0}`)).NotTo(HaveKey("expiresAt"))
}

func TestANewCodeCancelsTheOneBefore(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, made := w.create("alice", "2")
	first, link := made["code"].(string), made["link"].(string)
	w.Expect(w.Accepts(first)).To(BeTrue())
	w.Expect(w.Accepts(link)).To(BeTrue(), "a link is as good as its long code")

	second := w.must(201, "POST", path+"/codes", `{"purpose":"ENROLLMENT","codeType":0}`)["code"].(string)
	w.Expect(w.Accepts(first)).To(BeFalse())
	w.Expect(w.UseCode(link)).To(MatchError(mfasim.ErrCodeCancelled))
	w.Expect(w.live("ALICE")).To(Equal(second))
	w.Expect(w.CodesIssued("Alice")).To(Equal(2))
}

func TestPurposesFitStates(t *testing.T) {
	fits := map[string][]string{
		"ENROLLMENT": {mfasim.StatusPending, mfasim.StatusExpired},
		"ADD_DEVICE": {mfasim.StatusActivated},
		"UNLOCK":     {mfasim.StatusPINBlocked},
		"RESTORE":    {mfasim.StatusActivated, mfasim.StatusPINBlocked},
	}
	states := []string{mfasim.StatusPending, mfasim.StatusExpired, mfasim.StatusActivated, mfasim.StatusPINBlocked}
	for purpose, allowed := range fits {
		for _, state := range states {
			t.Run(purpose+" for "+state, func(t *testing.T) {
				w := newTenant(t, mfasim.Options{})
				path := w.seed(mfasim.Account{Login: "alice", Status: state})
				body := `{"purpose":"` + purpose + `","codeType":0}`
				if ok, _ := ContainElement(state).Match(allowed); ok {
					w.must(201, "POST", path+"/codes", body)
					return
				}
				w.refused(422, "PURPOSE_NOT_ALLOWED", "POST", path+"/codes", body)
				w.Expect(w.CodesIssued("alice")).To(BeZero())
			})
		}
	}
}

func TestIssueCodeRefuses(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice"})
	w.refused(400, "MALFORMED_BODY", "POST", path+"/codes", ``)
	w.refused(422, "INVALID", "POST", path+"/codes", `{"codeType":0}`)
	w.refused(422, "INVALID", "POST", path+"/codes", `{"purpose":"FUN","codeType":0}`)
	w.refused(422, "INVALID", "POST", path+"/codes", `{"purpose":"ENROLLMENT"}`)
	w.refused(404, "ACCOUNT_NOT_FOUND", "POST", "/accounts/1/codes", `{"purpose":"ENROLLMENT","codeType":0}`)
}

func TestActivateCode(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, made := w.create("alice", "1")
	code := made["code"].(string)
	w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrCodeInactive))
	w.Expect(w.live("alice")).To(Equal(code), "inactive, but live")

	w.clock.Step(day)
	want := object{"code": code, "expiresAt": start.Add(day + 15*time.Minute).Format(time.RFC3339)}
	w.Expect(w.must(200, "POST", path+"/codes/activate", "")).To(Equal(want))
	w.clock.Step(10 * time.Minute)
	w.Expect(w.must(200, "POST", path+"/codes/activate", "")).To(Equal(want), "repeating it changes nothing")
	w.Expect(w.CodesIssued("alice")).To(Equal(1))
	w.Expect(w.Accepts(code)).To(BeTrue())
	w.clock.Step(5 * time.Minute)
	w.Expect(w.UseCode(code)).To(MatchError(mfasim.ErrCodeExpired))
	w.refused(409, "NO_INACTIVE_CODE", "POST", path+"/codes/activate", "")

	short, _ := w.create("bob", "0")
	w.refused(409, "NO_INACTIVE_CODE", "POST", short+"/codes/activate", "")
	w.refused(404, "ACCOUNT_NOT_FOUND", "POST", "/accounts/1/codes/activate", "")
}

func TestSendCode(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path, made := w.create("alice@example.com", "2")
	w.must(200, "PATCH", path, `{"email":"alice@example.com"}`)
	w.Expect(w.must(204, "POST", path+"/codes/send", "")).To(BeNil())
	w.must(204, "POST", path+"/codes/send", "")
	mail := mfasim.Mail{To: "alice@example.com", Login: "alice@example.com", Link: made["link"].(string), SentAt: start}
	w.Expect(w.Outbox()).To(Equal([]mfasim.Mail{mail, mail}), "sending again sends the same link")

	w.must(200, "PATCH", path, `{"email":""}`)
	w.refused(400, "NO_EMAIL", "POST", path+"/codes/send", "")
	w.must(200, "PATCH", path, `{"email":"alice@example.com"}`)
	w.clock.Step(21 * day)
	w.refused(409, "NO_LINK", "POST", path+"/codes/send", "")
	w.must(201, "POST", path+"/codes", `{"purpose":"ENROLLMENT","codeType":0}`)
	w.refused(409, "NO_LINK", "POST", path+"/codes/send", "")
	w.Expect(w.Outbox()).To(HaveLen(2))
}
