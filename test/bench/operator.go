package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopTime is how long the manager may take to end in good order.
const stopTime = 40 * time.Second

// operator is one run of the manager's program.
type operator struct {
	cmd     *exec.Cmd
	exited  chan struct{} // closed when it has ended
	metrics string        // URL
	log     string        // path
	last    activity
}

// buildOperator builds the program that is measured, with the flags of the environment.
func buildOperator(ctx context.Context, dir string) (program string, err error) {
	program = filepath.Join(dir, "manager")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/manager") //nolint:gosec // our own folder
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build the manager: %w", err)
	}
	return program, nil
}

// startOperator runs the manager as config/manager does, but for plain metrics on this machine alone.
func startOperator(program, kubeconfig, log string) (*operator, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // in our own folder
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }() // the child has its own
	cmd := exec.Command(program,          //nolint:gosec // built above
		"--kubeconfig="+kubeconfig, "--leader-elect", "--leader-election-namespace="+systemNamespace,
		"--health-probe-bind-address=0", "--metrics-secure=false", "--metrics-bind-address="+address)
	cmd.Stdout, cmd.Stderr = output, output
	// Nothing of the caller's environment: GOGC and GOMEMLIMIT would bend the figures.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	// Ctrl-C reaches us alone, and we stop it in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	o := &operator{cmd: cmd, exited: make(chan struct{}), metrics: "http://" + address + "/metrics", log: log}
	go func() {
		_ = cmd.Wait() // an early end shows as the closed channel
		close(o.exited)
	}()
	return o, nil
}

// freeAddress is one that nobody listens on at this moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (o *operator) alive() error {
	select {
	case <-o.exited:
		return errors.New("the manager has ended by itself")
	default:
		return nil
	}
}

// peakMemory is the largest resident set the process has had, in bytes.
func (o *operator) peakMemory() (int, error) {
	kib, ok := procField(fmt.Sprintf("/proc/%d/status", o.cmd.Process.Pid), "VmHWM")
	if !ok {
		return 0, errors.New("the system does not tell the peak memory of a process (it needs /proc)")
	}
	return kib << 10, nil
}

// stop ends the manager in good order, or else by force. Stopping twice is harmless.
func (o *operator) stop() error {
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the manager: %w", err)
	}
	select {
	case <-o.exited:
		return nil
	case <-time.After(stopTime):
		return errors.Join(fmt.Errorf("the manager did not end in %s", stopTime), o.cmd.Process.Kill())
	}
}
