package mfaclient

import (
	"net/http"
	"strings"
	"time"
)

// defaultPause is how long a connection rests when the service says "slow down" but not for how long.
const defaultPause = 5 * time.Second

// retryAfter reads the header in both forms, seconds and HTTP date. What is absent, past, zero or not understood becomes
// the default: a pause of nothing would hammer a service that just asked for quiet.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	d := time.Duration(0)
	if seconds, ok := digits(header); ok {
		d = seconds
	} else if date, err := http.ParseTime(header); err == nil {
		d = date.Sub(now)
	}
	if d <= 0 {
		return defaultPause
	}
	return min(d, maxPause)
}

// digits reads a number of seconds, of any length, and stops counting beyond the longest pause.
func digits(s string) (time.Duration, bool) {
	var d time.Duration
	for _, r := range s {
		if r < '0' || r > '9' {
			return 0, false
		}
		d = min(d*10+time.Duration(r-'0')*time.Second, maxPause)
	}
	return d, s != ""
}
