package main

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// progress takes what `go build -v` writes: the path of each package it
// compiles, and complaints.
type progress struct {
	mu     sync.Mutex
	output bytes.Buffer
}

func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

func (p *progress) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// packages counts the packages compiled so far. Those that the build cache
// holds already are not among them.
func (p *progress) packages() int { return strings.Count(p.text(), "\n") }

var packagePath = regexp.MustCompile(`^[\w./~-]+$`)

// complaints is the output of go without package paths and download notes: what
// remains is the reason of a failure.
func complaints(output string) string {
	var kept []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if line == "" || packagePath.MatchString(line) || strings.HasPrefix(line, "go: downloading ") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}
