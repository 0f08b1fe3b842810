package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// describeMachine is one line for the table. What the system does not tell is left out.
func describeMachine() string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if kib, ok := procField("/proc/meminfo", "MemTotal"); ok {
		parts = append(parts, fmt.Sprintf("%.0f GiB of memory", float64(kib)/(1<<20)))
	}
	parts = append(parts, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		parts = append(parts, "load "+string(bytes.Fields(load)[0])+" before the start")
	}
	return strings.Join(parts, ", ")
}

// procField reads a number from a file of lines such as "VmHWM:   1234 kB".
func procField(path, name string) (kib int, ok bool) {
	content, err := os.ReadFile(path) //nolint:gosec // of /proc
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(content)) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return n, err == nil
		}
	}
	return 0, false
}
