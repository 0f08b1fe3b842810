package mfaclient

import (
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestRetryAfter(t *testing.T) {
	cases := map[string]struct {
		header string
		want   time.Duration
	}{
		"absent":         {"", 5 * time.Second},
		"seconds":        {"7", 7 * time.Second},
		"spaces":         {" 7 ", 7 * time.Second},
		"an hour":        {"3600", time.Hour},
		"over an hour":   {"3601", time.Hour},
		"overflow":       {"99999999999999999999999999", time.Hour},
		"zero":           {"0", 5 * time.Second},
		"negative":       {"-3", 5 * time.Second},
		"fraction":       {"1.5", 5 * time.Second},
		"words":          {"soon", 5 * time.Second},
		"date":           {"Sun, 01 Nov 2026 10:00:42 GMT", 42 * time.Second},
		"date, RFC 850":  {"Sunday, 01-Nov-26 10:00:42 GMT", 42 * time.Second},
		"date, asctime":  {"Sun Nov  1 10:00:42 2026", 42 * time.Second},
		"date, past":     {"Sun, 01 Nov 2026 09:59:42 GMT", 5 * time.Second},
		"date, far":      {"Sun, 01 Nov 2099 09:59:42 GMT", time.Hour},
		"date, very far": {"Fri, 31 Dec 9999 23:59:59 GMT", time.Hour},
		"ISO date":       {"2026-11-01T10:00:42Z", 5 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(retryAfter(tc.header, testStart)).To(Equal(tc.want))
		})
	}
}

func TestRetryAfterNeverOverflows(t *testing.T) {
	for length := 4; length < 100; length++ {
		NewWithT(t).Expect(retryAfter(strings.Repeat("9", length), testStart)).To(Equal(time.Hour))
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "5", "-1", "99999999999999999999", "Sun, 01 Nov 2026 10:00:42 GMT", "1e3", "٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		d := retryAfter(header, testStart)
		if d <= 0 || d > time.Hour {
			t.Errorf("retryAfter(%q) = %s", header, d)
		}
		_, isNumber := new(big.Int).SetString(strings.TrimSpace(header), 10)
		_, notDate := http.ParseTime(strings.TrimSpace(header))
		if !isNumber && notDate != nil && d != defaultPause {
			t.Errorf("retryAfter(%q) = %s, which nobody asked for", header, d)
		}
	})
}
