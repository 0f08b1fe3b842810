package program

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Process is a manager at work.
type Process struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// Start runs the manager with the access of a kubeconfig file. It serves neither metrics nor probes, and adds what it
// says to the log file.
func Start(path, kubeconfig, log string, args ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the caller's own file
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the process has its own
	args = append([]string{"--kubeconfig=" + kubeconfig, "--metrics-bind-address=0", "--health-probe-bind-address=0"}, args...)
	cmd := exec.Command(path, args...) //nolint:gosec // what Build has built
	cmd.Stdout, cmd.Stderr = out, out
	// Of the caller's environment only what a process needs: its options would bend the test.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	// Ctrl-C reaches the test alone, which ends its processes itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	p := &Process{cmd: cmd, log: log, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the state says more
		close(p.exited)
	}()
	return p, nil
}

// Kill ends the process at once, in whatever it does, and waits for it to be gone. One that has ended is dead already.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	<-p.exited
}

// Terminate asks the process to end in good order.
func (p *Process) Terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// Freeze stops the process in its tracks, as a machine does that is suspended.
func (p *Process) Freeze() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on, as if no time had passed.
func (p *Process) Thaw() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode is the code that the process ended with, -1 for one that was killed. Only to be asked once it has ended.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Tail is the end of the log, for whoever has to find out why a test failed.
func (p *Process) Tail(lines int) string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
