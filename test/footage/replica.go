package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/test/program"
)

// patience is how long anything may take that happens at once on a quiet machine.
const patience = time.Minute

// replica is one run of the operator, as the Deployment would have it in a Pod.
type replica struct {
	*program.Process
	pod     string
	metrics string // URL
}

func (s *stage) startReplica() (*replica, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	pod := fmt.Sprintf("operator-%c", 'a'+len(s.replicas))
	process, err := program.Start(s.program, s.kubeconfig, filepath.Join(s.dir, pod+".log"), "--leader-elect",
		"--leader-election-namespace="+systemNamespace, "--metrics-secure=false", "--metrics-bind-address="+address)
	if err != nil {
		return nil, err
	}
	r := &replica{Process: process, pod: pod, metrics: "http://" + address + "/metrics"}
	s.replicas = append(s.replicas, r)
	return r, nil
}

// startLeader starts a replica and waits until it has the lease.
func (s *stage) startLeader(ctx context.Context) error {
	r, err := s.startReplica()
	if err != nil {
		return err
	}
	return await(ctx, "the lease of "+r.pod+"\n"+r.Tail(20), func() (bool, error) {
		var lease coordinationv1.Lease
		err := s.admin.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: "leader.trustbuilder-mfa.dev"}, &lease)
		return err == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "", client.IgnoreNotFound(err)
	})
}

// await asks until the answer is yes.
func await(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("waited in vain for " + what)
		case <-tick.C:
		}
	}
}
