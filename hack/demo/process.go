package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is longer than the manager's own, 30 seconds.
const stopTimeout = 40 * time.Second

// process is a running program that writes into a log file.
type process struct {
	name, log string
	cmd       *exec.Cmd
	stopping  chan struct{} // closed when we end it
	ended     chan struct{} // closed when it has ended
}

// startProcess starts a program. failed is called when it ends before it is stopped.
func startProcess(failed func(error), log, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the program has its own copy
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own: Ctrl-C must reach us, not it, so that the order of stopping holds.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w; to build it, run: make demo", path, err)
	}
	p := &process{name: filepath.Base(path), log: log, cmd: cmd, stopping: make(chan struct{}), ended: make(chan struct{})}
	go p.watch(failed)
	return p, nil
}

func (p *process) watch(failed func(error)) {
	_ = p.cmd.Wait() // the state says more
	close(p.ended)
	select {
	case <-p.stopping:
	default:
		failed(fmt.Errorf("the %s ended by itself: %s", p.name, p.cmd.ProcessState))
	}
}

// stop lets the program end in good order and waits for it. A program that never started, or has ended, is stopped already.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	close(p.stopping)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("the %s did not end in %s", p.name, stopTimeout), p.cmd.Process.Kill())
	}
}

// lastLines is the end of the log.
func (p *process) lastLines(n int) string {
	if p == nil {
		return "  (it was not started)"
	}
	content, err := os.ReadFile(p.log)
	if err != nil {
		return "  " + err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return indent(strings.Join(lines[max(0, len(lines)-n):], "\n"))
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}
