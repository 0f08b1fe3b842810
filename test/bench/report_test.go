package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func someFigures() figures {
	return figures{
		users:  4000,
		create: measured{30 * time.Second, map[string]int{"CreateAccount": 4000, "ListAccounts": 40}, map[string]int{"patch mfausers": 12000, "patch secrets": 4000}},
		idle:   measured{took: 10 * time.Second, calls: map[string]int{"ListAccounts": 40}},
		drift:  measured{took: 12 * time.Second},
		// The median of an even number is the lower one: a figure that was measured.
		corrected:  []time.Duration{4 * time.Second, time.Second, 2 * time.Second, 9 * time.Second},
		peakMemory: 100<<20 + 512<<10,
		sequential: 60 * time.Second, parallel: 20 * time.Second, sequentialUsers: 2000,
	}
}

// TestReport holds the form that other programs read.
func TestReport(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "bench.json")
	g.Expect(someFigures().report().write(path)).To(Succeed())
	written, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(written)).To(MatchJSON(`{
		"users": 4000,
		"create": {"seconds": 30, "remoteCalls": {"CreateAccount": 4000, "ListAccounts": 40}, "kubernetesWrites": 16000},
		"restart": {"seconds": 0, "remoteCalls": {}, "kubernetesWrites": 0},
		"idle": {"seconds": 10, "remoteCalls": {"ListAccounts": 40}, "kubernetesWrites": 0},
		"drift": {"seconds": 12, "remoteCalls": {}, "kubernetesWrites": 0, "users": 4, "secondsP50": 2, "secondsMax": 9},
		"peakMemoryMiB": 100.5,
		"floor": {"sequentialSeconds": 60, "parallelSeconds": 20}
	}`))
}

func TestTable(t *testing.T) {
	g := NewWithT(t)
	var out strings.Builder
	someFigures().print(&out, "2 cores", options{interval: 10 * time.Second})
	for _, want := range []string{
		"2 cores", "4000 users, listing interval 10s",
		`create +30.0 +4000 CreateAccount, 40 ListAccounts +12000 patch mfausers, 4000 patch secrets +1.01 calls, 4.00 writes`,
		`drift on 4 users`, `2.0 s median, 9.0 s longest`, `100.5 MiB`,
		`60.0 s one after the other \(scaled up from 2000 users\), 20.0 s with 16 at once`, `0.50 of sequential, 1.50 of parallel`,
	} {
		g.Expect(out.String()).To(MatchRegexp(want))
	}
}

func TestOptions(t *testing.T) {
	cases := map[string]struct {
		args []string
		want string // part of the error; empty: none
	}{
		"defaults":           {nil, ""},
		"all":                {[]string{"-n", "10", "-out", "x", "-interval", "1m"}, ""},
		"nobody":             {[]string{"-n", "0"}, "-n must be"},
		"too short":          {[]string{"-interval", "1s"}, "-interval must be"},
		"something too much": {[]string{"2000"}, `unexpected argument "2000"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parseOptions(tc.args)
			if tc.want == "" {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
				return
			}
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(tc.want)))
		})
	}
}
