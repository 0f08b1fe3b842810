package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestSee(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	cases := map[string]struct {
		command command
		want    string // part of the error; empty: it is seen
	}{
		"succeeds":        {command: command{line: "true"}},
		"fails":           {command: command{line: "echo no such thing; false"}, want: "not seen: echo no such thing; false: exit status 1\n  no such thing"},
		"shows it":        {command: command{line: "echo a b", want: []string{"^a", "b$"}, absent: []string{"c"}}},
		"shows it later":  {command: command{line: "echo x >>" + file + "; cat " + file, want: []string{`x\nx\nx`}}},
		"never shows it":  {command: command{line: "echo a b", sees: "the letter c", want: []string{"c"}}, want: `not seen: the letter c: it took`},
		"still shows it":  {command: command{line: "echo a b", sees: "b gone", absent: []string{"b"}}, want: `something like b in` + "\n  a b"},
		"fails each time": {command: command{line: "echo why >&2; exit 3", want: []string{"a"}}, want: "exit status 3\n  why"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := newShell("", "", "")
			s.timeout, s.pollEvery = 10*time.Second, time.Millisecond
			if tc.want != "" {
				s.timeout = 2 * time.Second
			}
			err := s.see(t.Context(), tc.command)
			if tc.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(tc.want)))
		})
	}
}

// The demo must use its own control plane, whatever the user's settings are.
func TestShellKeepsTheUsersClusterOut(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("KUBECONFIG", "/somebody/elses")
	s := newShell("/programs", "/own.kubeconfig", "/cache")
	out, err := s.run(t.Context(), `echo "$KUBECONFIG $KUBECACHEDIR"; echo "$PATH"`)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out).To(HavePrefix("/own.kubeconfig /cache\n/programs:"))
}

// The end of a process is the reason, not the many things that fail because of it; and Ctrl-C is no fault.
func TestExplain(t *testing.T) {
	g := NewWithT(t)
	ended, failed := fmt.Errorf("the manager ended"), fmt.Errorf("not seen")

	interrupted, interrupt := context.WithCancel(t.Context())
	ctx, fail := context.WithCancelCause(interrupted)
	g.Expect(explain(interrupted, ctx, nil)).To(Succeed())
	g.Expect(explain(interrupted, ctx, failed)).To(MatchError(failed))
	fail(ended)
	g.Expect(explain(interrupted, ctx, failed)).To(MatchError(ended))
	g.Expect(explain(interrupted, ctx, nil)).To(MatchError(ended))

	ctx, fail = context.WithCancelCause(interrupted)
	defer fail(nil)
	interrupt()
	g.Expect(explain(interrupted, ctx, failed)).To(MatchError(errInterrupted))
	g.Expect(explain(interrupted, ctx, nil)).To(Succeed())
}
