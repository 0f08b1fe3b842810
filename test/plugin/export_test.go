package plugin

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// apply applies manifests as a person would.
func (w *world) apply(yaml string) {
	w.t.Helper()
	cmd := exec.Command(cluster.Kubectl(), "--kubeconfig", cluster.AdminKubeconfig(), "apply", "--server-side", "-f", "-")
	cmd.Stdin = strings.NewReader(yaml)
	out, err := cmd.CombinedOutput()
	w.g.Expect(err).NotTo(HaveOccurred(), string(out))
}

func (w *world) export(args ...string) ran {
	w.t.Helper()
	got := w.mfa(append([]string{"export", "production", "-n", w.mfaNamespace, "--to-namespace", w.namespace}, args...)...)
	w.g.Expect(got.code).To(BeZero(), got.err)
	return got
}

// TestExportIsAdopted: whatever the accounts hold, the API server takes the manifests, the operator takes the accounts over, and
// nothing is changed in the service. Only the fields that it can't state are left out.
func TestExportIsAdopted(t *testing.T) {
	w := newWorld(t)
	w.sim.AddGroup("staff-paris")
	long := strings.Repeat("é", 300)
	seeds := []mfasim.Account{
		{Login: "alice@example.com", FirstName: "Alice", LastName: "O'Neil: #1", Email: "alice@example.com", Phone: "+33 (0)6 12.34-56", Language: "fr", Status: mfasim.StatusActivated},
		{Login: "Bob_Smith@example.com", Email: "not an address", Phone: "ask Bob", Blocked: true, Status: mfasim.StatusBlocked},
		{Login: "bob-smith@example.com", FirstName: long, LastName: "yes"},
		{Login: "élodie", FirstName: "\u00a0", LastName: "null", Language: "de"},
		{Login: strings.Repeat("x", 255), Phone: strings.Repeat("0", 33)},
		{Login: "12345", FirstName: "true", Status: mfasim.StatusPINBlocked},
	}
	for _, seed := range seeds {
		w.sim.Seed(seed)
	}
	w.sim.Seed(mfasim.Account{Login: "with space"})
	w.sim.Seed(mfasim.Account{Login: "manager@example.com", Role: mfasim.RoleManager})
	w.g.Expect(w.sim.SetMembership("alice@example.com", "staff-paris", mfasim.RoleUser)).To(Succeed())
	_, err := w.sim.IssueCode("élodie", "ENROLLMENT", 0)
	w.g.Expect(err).NotTo(HaveOccurred())
	live, _ := w.sim.LiveCode("élodie")
	before := w.sim.Accounts()

	got := w.export("--with-groups")
	w.g.Expect(got.out).NotTo(ContainSubstring(live), "the listing leaks codes, the export does not")
	w.g.Expect(got.err).To(ContainSubstring("left out 1 accounts whose login no MFAUser can have"))
	w.g.Expect(got.err).To(ContainSubstring("left out 2 accounts with a role that the connection's policy.roles does not list"))
	w.g.Expect(strings.Count(got.out, "kind: MFAUser")).To(Equal(len(seeds)))
	w.g.Expect(w.export("--with-groups").out).To(Equal(got.out), "twice the same")

	w.apply(got.out)
	w.operate()
	var users v1alpha1.MFAUserList
	w.g.Expect(w.client.List(w.ctx, &users, client.InNamespace(w.namespace))).To(Succeed())
	w.g.Expect(users.Items).To(HaveLen(len(seeds)))
	for _, user := range users.Items {
		w.g.Expect(user.Spec.ManagementPolicy).To(Equal(v1alpha1.ManagementObserve), "nothing is changed before somebody looked")
		w.g.Expect(user.Spec.AdoptionPolicy).To(Equal(v1alpha1.AdoptionIfExists))
		w.g.Expect(w.settled(user.Name)).To(Equal(v1alpha1.ReasonReconciled), user.Name)
		account, _ := w.sim.Account(user.Spec.Login)
		w.g.Expect(w.get(user.Name).Status.AccountID).To(Equal(fmt.Sprint(account.ID)))
	}
	w.g.Expect(w.sim.Accounts()).To(Equal(before))
	w.g.Expect(w.get("alice--example.com").Spec.Groups).To(Equal([]v1alpha1.GroupMembership{{Name: "staff-paris", Role: v1alpha1.RoleUser}}))
	w.g.Expect(w.get("12345").Spec.FirstName).To(HaveValue(Equal("true")), "a word and no boolean")

	again := w.export()
	w.g.Expect(again.out).To(BeEmpty(), "what is held is not exported again")
	w.g.Expect(again.err).To(ContainSubstring(fmt.Sprintf("left out %d accounts that an MFAUser holds already", len(seeds))))
}

// TestExportFilters: what is asked for, and nothing else.
func TestExportFilters(t *testing.T) {
	w := newWorld(t, func(c *v1alpha1.MFAConnection) {
		c.Spec.Policy.Roles = []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleManager}
		c.Spec.Policy.LoginPatterns = []string{"*@example.com"}
	})
	w.sim.AddGroup("staff")
	w.sim.AddGroup("board")
	w.sim.Seed(mfasim.Account{Login: "ann@example.com", Status: mfasim.StatusActivated})
	w.sim.Seed(mfasim.Account{Login: "ben@example.com"})
	w.sim.Seed(mfasim.Account{Login: "cat@example.com", Role: mfasim.RoleManager})
	w.sim.Seed(mfasim.Account{Login: "dan@example.com", Role: "AUDITOR"})
	w.sim.Seed(mfasim.Account{Login: "eve@example.org"})
	w.g.Expect(w.sim.SetMembership("ann@example.com", "staff", mfasim.RoleUser)).To(Succeed())
	w.g.Expect(w.sim.SetMembership("ben@example.com", "board", mfasim.RoleUser)).To(Succeed())
	cases := map[string]struct {
		args []string
		want []string
	}{
		"all that may be managed": {nil, []string{"ann", "ben", "cat"}},
		"a pattern":               {[]string{"--login", "A*,*t@example.com"}, []string{"ann", "cat"}},
		"a state":                 {[]string{"--state", "activated"}, []string{"ann"}},
		"a role":                  {[]string{"--role", "manager"}, []string{"cat"}},
		"a group":                 {[]string{"--group", "st*"}, []string{"ann"}},
		"a role of its own":       {[]string{"--role", "AUDITOR", "--include-privileged"}, []string{"dan"}},
		"two filters":             {[]string{"--state", "PendingActivation", "--role", "User"}, []string{"ben"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			got := w.export(tc.args...)
			var logins []string
			for line := range strings.Lines(got.out) {
				if login, ok := strings.CutPrefix(strings.TrimSpace(line), "login: "); ok {
					logins = append(logins, strings.TrimSuffix(login, "@example.com"))
				}
			}
			g.Expect(logins).To(Equal(tc.want))
		})
	}
	w.g.Expect(w.export().err).To(ContainSubstring("left out 1 accounts whose login matches none of the connection's policy.loginPatterns"))
	w.g.Expect(w.mfa("export", "production", "-n", w.mfaNamespace, "--state", "Asleep").err).To(ContainSubstring("there is no state"))
}

// TestExportFiles: one file each, that nobody's edits are lost in.
func TestExportFiles(t *testing.T) {
	w := newWorld(t)
	w.sim.SeedN(3, "seed")
	dir := filepath.Join(t.TempDir(), "users")
	got := w.export("--output-dir", dir)
	w.g.Expect(got.out).To(BeEmpty())
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(files).To(HaveLen(3))
	w.g.Expect(files[0]).To(HaveSuffix("seed-00001--example.com.yaml"))
	w.export("--output-dir", dir) // what is the same is no trouble

	w.g.Expect(os.WriteFile(files[1], []byte("# edited\n"), 0o600)).To(Succeed())
	refused := w.mfa("export", "production", "-n", w.mfaNamespace, "--to-namespace", w.namespace, "--output-dir", dir)
	w.g.Expect(refused.code).To(Equal(1))
	w.g.Expect(refused.err).To(ContainSubstring("--overwrite"))
	w.export("--output-dir", dir, "--overwrite")
	text, err := os.ReadFile(files[1])
	w.g.Expect(err).NotTo(HaveOccurred())
	w.g.Expect(string(text)).To(HavePrefix("apiVersion: trustbuilder-mfa.dev/v1alpha1"))
}

// TestExportTokens: the token of a Secret goes where its connection says and nowhere else, and needs its label.
func TestExportTokens(t *testing.T) {
	w := newWorld(t)
	w.sim.SeedN(2, "seed")
	file := filepath.Join(t.TempDir(), "token")
	w.g.Expect(os.WriteFile(file, []byte(w.sim.Token()+"\n"), 0o600)).To(Succeed())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	w.g.Expect(os.WriteFile(ca, []byte(w.ca), 0o600)).To(Succeed())

	outside := w.mfa("export", "early", "--url", w.url, "--token-file", file, "--ca-file", ca)
	w.g.Expect(outside.code).To(BeZero(), outside.err)
	w.g.Expect(strings.Count(outside.out, "name: early")).To(Equal(2))
	w.g.Expect(w.mfa("export", "production", "-n", w.mfaNamespace, "--url", w.url).err).To(ContainSubstring("--url needs --token-file"))

	secret := w.tokenSecret()
	secret.Labels = nil
	w.g.Expect(w.client.Update(w.ctx, secret)).To(Succeed())
	w.sim.ResetCalls()
	got := w.mfa("export", "production", "-n", w.mfaNamespace)
	w.g.Expect(got.code).To(Equal(1))
	w.g.Expect(got.err).To(ContainSubstring(`lacks the label trustbuilder-mfa.dev/token: "true"`))
	w.g.Expect(w.sim.Calls()).To(BeEmpty())
	w.g.Expect(w.mfa("export", "production", "-n", w.mfaNamespace, "--token-file", file).code).To(BeZero())
}

// TestTokenFileGoesToOneConnection: whoever may make a connection says where its calls go, so a token in a file is used for the
// one that is named, or that all the users of a plan have.
func TestTokenFileGoesToOneConnection(t *testing.T) {
	w := newWorld(t)
	var called atomic.Int64
	snoop := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	t.Cleanup(snoop.Close)
	w.create(w.connection(func(c *v1alpha1.MFAConnection) {
		c.Name, c.Spec.URL = "a-first", snoop.URL
		c.Spec.CABundle = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: snoop.Certificate().Raw}))
	}))
	w.create(w.user("aaron", func(u *v1alpha1.MFAUser) { u.Spec.ConnectionRef.Name = "a-first" }), w.user("zoe"))
	file := filepath.Join(t.TempDir(), "token")
	w.g.Expect(os.WriteFile(file, []byte(w.sim.Token()), 0o600)).To(Succeed())

	for _, args := range [][]string{{"plan", "-A"}, {"plan"}, {"doctor", "-A"}, {"doctor", "-n", w.mfaNamespace}} {
		got := w.mfa(append(args, "--token-file", file)...)
		w.g.Expect(got.code).NotTo(BeZero())
		w.g.Expect(got.err).To(ContainSubstring("--token-file holds the token of one connection"), "%v", args)
	}
	w.g.Expect(called.Load()).To(BeZero())
	w.g.Expect(w.mfa("plan", "zoe", "--token-file", file).out).To(ContainSubstring("1 to create"))
	w.g.Expect(w.mfa("doctor", "production", "-n", w.mfaNamespace, "--token-file", file).out).To(ContainSubstring("the token lists the accounts"))
}

// TestExportSlowedDown: a service that asks to slow down in the middle is waited for.
func TestExportSlowedDown(t *testing.T) {
	w := newWorld(t)
	w.sim.SeedN(250, "seed")
	w.sim.SetFault(mfasim.Fault{Kind: mfasim.FaultStatus, Operation: "ListAccounts", Status: 429, RetryAfter: "1", Count: 1})
	got := w.export()
	w.g.Expect(strings.Count(got.out, "kind: MFAUser")).To(Equal(250))
}
