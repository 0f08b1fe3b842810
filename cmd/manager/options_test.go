package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"

	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

func parse(env map[string]string, args ...string) (options, error) {
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	return parseOptions(args, lookup, io.Discard)
}

func TestDefaults(t *testing.T) {
	g := NewWithT(t)
	o, err := parse(nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.metricsAddress).To(Equal(":8443"))
	g.Expect(o.metricsSecure).To(BeTrue())
	g.Expect(o.probeAddress).To(Equal(":8081"))
	g.Expect(o.leaderElect).To(BeFalse())
	g.Expect(o.concurrentUsers).To(Equal(16))
	g.Expect(o.concurrentConnections).To(Equal(8))
	g.Expect(o.apiOverrides).To(BeEmpty())
	g.Expect(o.log.Development).To(BeFalse(), "production logs are JSON")
}

func TestPrecedence(t *testing.T) {
	const users, secure = envPrefix + "CONCURRENT_USERS", envPrefix + "METRICS_SECURE"
	cases := map[string]struct {
		env        map[string]string
		args       []string
		wantUsers  int
		wantSecure bool
	}{
		"neither":                       {wantUsers: 16, wantSecure: true},
		"environment beats default":     {env: map[string]string{users: "3", secure: "false"}, wantUsers: 3},
		"flag beats default":            {args: []string{"--concurrent-users=4"}, wantUsers: 4, wantSecure: true},
		"flag beats environment":        {env: map[string]string{users: "3", secure: "false"}, args: []string{"--concurrent-users=4", "--metrics-secure"}, wantUsers: 4, wantSecure: true},
		"empty variable counts as none": {env: map[string]string{users: ""}, wantUsers: 16, wantSecure: true},
		"variable of something else":    {env: map[string]string{envPrefix + "SERVICE_PORT": "tcp://10.0.0.1"}, wantUsers: 16, wantSecure: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			o, err := parse(tc.env, tc.args...)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(o.concurrentUsers).To(Equal(tc.wantUsers))
			g.Expect(o.metricsSecure).To(Equal(tc.wantSecure))
		})
	}
}

func TestWatchNamespaces(t *testing.T) {
	env := map[string]string{envPrefix + "WATCH_NAMESPACES": "team-x, team-y"}
	cases := map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"all by default":         {want: nil},
		"a list":                 {args: []string{"--watch-namespaces=team-a, team-b,"}, want: []string{"team-a", "team-b"}},
		"one after the other":    {args: []string{"--watch-namespaces=team-a", "--watch-namespaces=team-b"}, want: []string{"team-a", "team-b"}},
		"each once":              {args: []string{"--watch-namespaces=team-a,team-a", "--watch-namespaces=team-a"}, want: []string{"team-a"}},
		"environment":            {env: env, want: []string{"team-x", "team-y"}},
		"flag beats environment": {env: env, args: []string{"--watch-namespaces=team-a", "--watch-namespaces=team-b"}, want: []string{"team-a", "team-b"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			o, err := parse(tc.env, tc.args...)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(o.watchNamespaces.names).To(Equal(tc.want))
		})
	}
}

func TestBadOptions(t *testing.T) {
	cases := map[string]struct {
		env  map[string]string
		args []string
		want string // part of the error
	}{
		"unknown flag":             {args: []string{"--nope"}, want: "nope"},
		"argument":                 {args: []string{"start"}, want: `unexpected argument "start"`},
		"metrics address":          {args: []string{"--metrics-bind-address=8443"}, want: "--metrics-bind-address"},
		"empty metrics address":    {args: []string{"--metrics-bind-address="}, want: "--metrics-bind-address"},
		"probe port":               {args: []string{"--health-probe-bind-address=:99999"}, want: "--health-probe-bind-address"},
		"named port":               {args: []string{"--health-probe-bind-address=:http"}, want: "--health-probe-bind-address"},
		"no users at once":         {args: []string{"--concurrent-users=0"}, want: "--concurrent-users"},
		"too many connections":     {args: []string{"--concurrent-connections=1001"}, want: "--concurrent-connections"},
		"not a number":             {args: []string{"--concurrent-users=many"}, want: "concurrent-users"},
		"watched namespace":        {args: []string{"--watch-namespaces=team-a,Team B"}, want: `"Team B" is no name of a namespace`},
		"namespace":                {args: []string{"--leader-election-namespace=Nope!"}, want: "--leader-election-namespace"},
		"missing overrides":        {args: []string{"--api-overrides=/no/such/file"}, want: "--api-overrides"},
		"missing certificates":     {args: []string{"--metrics-cert-path=/no/such/folder"}, want: "--metrics-cert-path"},
		"certificates, no HTTPS":   {args: []string{"--metrics-cert-path=.", "--metrics-secure=false"}, want: "--metrics-cert-path"},
		"certificates, no metrics": {args: []string{"--metrics-cert-path=.", "--metrics-bind-address=0"}, want: "--metrics-cert-path"},
		"log level":                {args: []string{"--zap-log-level=loud"}, want: "zap-log-level"},
		"log format":               {args: []string{"--zap-encoder=xml"}, want: "zap-encoder"},
		"environment names itself": {env: map[string]string{envPrefix + "CONCURRENT_USERS": "many"}, want: envPrefix + "CONCURRENT_USERS"},
		"environment is validated": {env: map[string]string{envPrefix + "CONCURRENT_USERS": "-1"}, want: "--concurrent-users"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := parse(tc.env, tc.args...)
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	g := NewWithT(t)
	_, err := parse(nil, "--concurrent-users=0", "--metrics-bind-address=x")
	g.Expect(err).To(MatchError(And(ContainSubstring("--concurrent-users"), ContainSubstring("--metrics-bind-address"))))
}

func TestGoodOptions(t *testing.T) {
	g := NewWithT(t)
	overrides := filepath.Join(t.TempDir(), "overrides.yaml")
	g.Expect(os.WriteFile(overrides, nil, 0o600)).To(Succeed())
	o, err := parse(nil, "--metrics-bind-address=0", "--health-probe-bind-address=[::1]:0", "--leader-elect",
		"--leader-election-namespace=mfa-system", "--api-overrides="+overrides, "--zap-log-level=debug")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(o.metricsAddress).To(Equal("0"))
	g.Expect(o.leaderElect).To(BeTrue())
	g.Expect(o.leaderElectionNamespace).To(Equal("mfa-system"))
	g.Expect(o.log.Level.Enabled(zapcore.DebugLevel)).To(BeTrue())
}

// Every flag is explained, and names its variable.
func TestHelp(t *testing.T) {
	g := NewWithT(t)
	var out strings.Builder
	_, err := parseOptions([]string{"--help"}, func(string) (string, bool) { return "", false }, &out)
	g.Expect(err).To(MatchError(flag.ErrHelp))
	for _, name := range []string{"metrics-bind-address", "metrics-secure", "metrics-cert-path", "health-probe-bind-address", "leader-elect",
		"leader-election-namespace", "watch-namespaces", "api-overrides", "concurrent-users", "concurrent-connections", "zap-log-level", "kubeconfig"} {
		g.Expect(out.String()).To(ContainSubstring("-" + name))
		g.Expect(out.String()).To(ContainSubstring("[" + envName(name) + "]"))
	}
}

func TestOverridesAreLoaded(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "overrides.yaml")

	g.Expect(os.WriteFile(file, []byte("operations:\n  GetAccount: {path: '/v9/accounts/{id}'}\n"), 0o600)).To(Succeed())
	routes, err := mfaclient.RoutesWith(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(routes.Table()).To(ContainSubstring("/v9/accounts/{id}"))

	g.Expect(os.WriteFile(file, []byte("operations:\n  Nope: {path: /x}\n"), 0o600)).To(Succeed())
	_, err = mfaclient.RoutesWith(file)
	g.Expect(err).To(MatchError(And(ContainSubstring("--api-overrides"), ContainSubstring("Nope"))))
}
