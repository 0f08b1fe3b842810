package mfasim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func claimsOf(w *tenant, token string) jwt.RegisteredClaims {
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	w.Expect(err).NotTo(HaveOccurred())
	return claims
}

func TestTokenTellsTenantAdministratorAndExpiry(t *testing.T) {
	w := newTenant(t, mfasim.Options{ServiceID: "99", AdminLogin: "root@example.com"})
	claims := claimsOf(w, w.Token())
	w.Expect(claims.Subject).To(Equal("99/root@example.com"))
	w.Expect(claims.ExpiresAt.Time).To(BeTemporally("~", start.AddDate(0, 13, 0), 3*day))
	w.Expect(claimsOf(w, w.IssueToken("x", 0)).ExpiresAt).To(BeNil(), "never expires")
	admin, ok := w.Account("root@example.com")
	w.Expect(ok).To(BeTrue())
	w.Expect(admin).To(And(HaveField("Role", mfasim.RoleAdministrator), HaveField("Status", mfasim.StatusActivated)))
}

func TestTokensThatWork(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.Expect(w.IssueToken("x", time.Hour)).NotTo(Equal(w.IssueToken("x", time.Hour)), "two of the same second differ")
	w.AddOpaqueToken("opaque")
	for _, token := range []string{w.Token(), w.IssueToken(mfasim.DefaultAdminLogin, time.Hour), w.IssueToken("elsewhere", 0), "opaque"} {
		w.token = token
		w.must(200, "GET", "/accounts", "")
	}
}

func TestTokensThatDoNot(t *testing.T) {
	cases := map[string]struct {
		token func(*tenant) string
		code  string
	}{
		"none":              {func(*tenant) string { return "" }, "UNAUTHORIZED"},
		"garbage":           {func(*tenant) string { return "garbage" }, "UNAUTHORIZED"},
		"expired":           {func(w *tenant) string { return w.IssueToken("x", -time.Second) }, "TOKEN_EXPIRED"},
		"of another tenant": {func(w *tenant) string { return w.ForeignToken("1", mfasim.DefaultAdminLogin, time.Hour) }, "UNAUTHORIZED"},
		"run out": {func(w *tenant) string {
			token := w.IssueToken("x", time.Hour)
			w.clock.Step(time.Hour)
			return token
		}, "TOKEN_EXPIRED"},
		"revoked": {func(w *tenant) string {
			w.RevokeToken(w.Token())
			return w.Token()
		}, "UNAUTHORIZED"},
		"of a blocked administrator": {func(w *tenant) string {
			w.Expect(w.UpdateAccount(mfasim.DefaultAdminLogin, func(a *mfasim.Account) { a.Blocked = true })).To(Succeed())
			return w.Token()
		}, "UNAUTHORIZED"},
		"of a deleted administrator": {func(w *tenant) string {
			w.Expect(w.DeleteAccount(mfasim.DefaultAdminLogin)).To(BeTrue())
			return w.Token()
		}, "UNAUTHORIZED"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTenant(t, mfasim.Options{})
			w.token = tc.token(w)
			w.refused(http.StatusUnauthorized, tc.code, "GET", "/accounts", "")
			w.refused(http.StatusUnauthorized, tc.code, "POST", "/accounts", `{"login":"x","codeType":0}`)
			_, made := w.Account("x")
			w.Expect(made).To(BeFalse())
		})
	}
}

func TestRolesOfTheTokensOwner(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	w.Seed(mfasim.Account{Login: "boss", Role: mfasim.RoleManager, Status: mfasim.StatusActivated})
	w.Seed(mfasim.Account{Login: "nobody", Status: mfasim.StatusActivated})
	user, admin := w.seed(mfasim.Account{Login: "user"}), w.seed(mfasim.Account{Login: "admin2", Role: mfasim.RoleAdministrator})

	w.token = w.IssueToken("nobody", time.Hour)
	w.refused(403, "FORBIDDEN", "GET", "/accounts", "")

	w.token = w.IssueToken("boss", time.Hour)
	w.must(200, "GET", admin, "")
	w.must(200, "PATCH", user, `{"phone":"1"}`)
	w.refused(403, "FORBIDDEN", "PATCH", admin, `{"phone":"1"}`)
	w.refused(403, "FORBIDDEN", "PATCH", user, `{"role":"MANAGER"}`)
	w.refused(403, "FORBIDDEN", "DELETE", admin, "")
	w.refused(403, "FORBIDDEN", "POST", "/accounts", `{"login":"x","role":"MANAGER","codeType":0}`)
	after, _ := w.Account("user")
	w.Expect(after.Role).To(Equal(mfasim.RoleUser))
}

func TestOnlyTheBearerSchemeCounts(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	for header, want := range map[string]int{"Bearer " + w.Token(): 200, "bearer " + w.Token(): 200, "Basic " + w.Token(): 401, w.Token(): 401, "": 401} {
		req, err := http.NewRequest("GET", w.url+root+"/accounts", nil)
		w.Expect(err).NotTo(HaveOccurred())
		req.Header.Set("Authorization", header)
		resp, err := w.client.Do(req)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(resp.Body.Close()).To(Succeed())
		w.Expect(resp.StatusCode).To(Equal(want))
		w.Expect(resp.Header.Get("WWW-Authenticate") == "Bearer").To(Equal(want == 401))
	}
}
