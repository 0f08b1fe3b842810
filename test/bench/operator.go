package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/trustbuilder-mfa/operator/test/program"
)

// stopTime is how long the manager may take to end in good order.
const stopTime = 40 * time.Second

// operator is one run of the manager's program.
type operator struct {
	*program.Process
	metrics string // URL
	last    activity
}

// startOperator runs the manager as config/manager does, but for plain metrics on this machine alone.
func startOperator(path, kubeconfig, log string) (*operator, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	process, err := program.Start(path, kubeconfig, log, "--leader-elect", "--leader-election-namespace="+systemNamespace,
		"--metrics-secure=false", "--metrics-bind-address="+address)
	if err != nil {
		return nil, err
	}
	return &operator{Process: process, metrics: "http://" + address + "/metrics"}, nil
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
	case <-o.Exited():
		return errors.New("the manager has ended by itself")
	default:
		return nil
	}
}

// stop ends the manager in good order, or else by force. Stopping twice is harmless.
func (o *operator) stop() error {
	if o.alive() != nil {
		return nil //nolint:nilerr // it has ended
	}
	if err := o.Terminate(); err != nil {
		return fmt.Errorf("stop the manager: %w", err)
	}
	select {
	case <-o.Exited():
		return nil
	case <-time.After(stopTime):
		o.Kill()
		return fmt.Errorf("the manager did not end in %s", stopTime)
	}
}
