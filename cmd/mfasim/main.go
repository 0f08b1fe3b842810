package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "mfasim:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, args []string, out io.Writer) error {
	opts, err := parseOptions(args)
	if err != nil {
		return err
	}
	if err := removeFiles(opts.dir); err != nil {
		return err
	}
	sim := newSimulator(opts)
	authority, certificate, err := newCertificate(append([]string{"localhost", "127.0.0.1", "::1"}, opts.hosts...), time.Now())
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	listener, err := net.Listen("tcp", opts.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: sim, TLSConfig: serverTLS(certificate), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ServeTLS(listener, "", "") }()

	started := announcement{url: "https://" + listener.Addr().String(), token: sim.Token(), authority: authority, dir: opts.dir}
	if err := started.writeFiles(); err != nil {
		return errors.Join(err, server.Close())
	}
	started.print(out)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return shutDown(server)
	}
}

func newSimulator(opts options) *mfasim.Service {
	sim := mfasim.New(mfasim.Options{ServiceID: opts.serviceID})
	for _, name := range opts.groups {
		sim.AddGroup(name)
	}
	sim.SeedN(opts.accounts, "seed")
	return sim
}

// shutDown lets calls under way finish for a moment; a call that a fault makes hang is cut off.
func shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}
