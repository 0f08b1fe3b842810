package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/manager"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// operator is one manager at work.
type operator struct {
	world  *world
	power  *power
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of Start, once ended is closed
}

// options are the program's defaults, without the servers that tests have no use for.
func options() manager.Options {
	return manager.Options{
		MetricsAddress: "0", ProbeAddress: "0",
		LeaderElectionNamespace: systemNamespace,
		Controllers: controller.Options{
			Clock: clock.RealClock{}, Routes: mfaclient.DefaultRoutes(), UserAgent: "e2e",
			ConcurrentUsers: 16, ConcurrentConnections: 8,
		},
	}
}

// start starts a manager with its own rights. There must be no other.
func (w *world) start(edits ...func(*manager.Options)) *operator {
	return w.startWith(newPower(), edits...)
}

func (w *world) startWith(p *power, edits ...func(*manager.Options)) *operator {
	w.t.Helper()
	o := options()
	for _, edit := range edits {
		edit(&o)
	}
	config := rest.CopyConfig(managerConfig)
	config.Wrap(p.wrap)
	config.Wrap(w.withoutLease)
	if w.oldServer {
		config.Wrap(withoutStreamingLists)
	}
	mgr, err := manager.New(config, o)
	w.g.Expect(err).NotTo(HaveOccurred())
	w.power.Store(p)
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(p.off, cancel)
	op := &operator{world: w, power: p, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(op.ended)
		op.err = mgr.Start(ctx)
	}()
	w.operators = append(w.operators, op)
	return op
}

// stop ends the manager in good order, as a SIGTERM does.
func (o *operator) stop() {
	o.world.t.Helper()
	o.cancel()
	o.wait()
	o.world.g.Expect(o.err).NotTo(HaveOccurred())
}

// wait returns when the manager has ended.
func (o *operator) wait() {
	o.world.t.Helper()
	o.world.g.Eventually(o.ended, 40*time.Second).Should(BeClosed())
	o.power.turnOff() // what it left behind says no more
}

// withoutStreamingLists answers as an API server does that can't send a list as a watch: clients fall back to a list.
func withoutStreamingLists(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL.Query().Get("sendInitialEvents") == "true" {
			return &http.Response{
				Status: "422 Unprocessable Entity", StatusCode: http.StatusUnprocessableEntity, Request: req,
				Header: http.Header{"Content-Type": {"text/plain"}}, Body: http.NoBody, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			}, nil
		}
		return next.RoundTrip(req)
	})
}

// withoutLease lets writes to leases fail while the world says so: the manager loses its lease, and nobody has told it.
func (w *world) withoutLease(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if w.noLease.Load() && strings.Contains(req.URL.Path, "/leases/") {
			return nil, errors.New("no way to the lease")
		}
		return next.RoundTrip(req)
	})
}
