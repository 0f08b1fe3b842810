package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/localcluster"
)

const (
	operatorNamespace = "trustbuilder-mfa-system"
	operatorAccount   = "trustbuilder-mfa-controller-manager"
)

// stage holds what runs. Its parts come up one after the other and are nil before.
type stage struct {
	bin    string // folder of the programs
	dir    string // logs, kubeconfigs, the simulator's files
	failed func(error)

	cluster            *localcluster.Cluster
	shell              *shell
	simulator          *simulator
	simulating, manage *process
}

func newStage(bin string, failed func(error)) (*stage, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mfa-demo-")
	if err != nil {
		return nil, err
	}
	return &stage{bin: bin, dir: dir, failed: failed}, nil
}

func (s *stage) startControlPlane(ctx context.Context) error {
	fmt.Println("Starting a control plane: etcd, kube-apiserver, kube-controller-manager.")
	cluster, err := localcluster.Start(ctx, localcluster.Options{WithControllerManager: true})
	if err != nil {
		return err
	}
	s.cluster = cluster
	s.shell = newShell(filepath.Dir(cluster.Kubectl()), cluster.AdminKubeconfig(), s.path("cache"))
	return nil
}

func (s *stage) startSimulator(ctx context.Context) error {
	dir := s.path("simulator")
	var err error
	// The group that the samples use: groups are made in the vendor's console.
	if s.simulating, err = startProcess(s.failed, s.path("mfasim.log"), filepath.Join(s.bin, "mfasim"), "-groups=staff", "-dir="+dir); err != nil {
		return err
	}
	err = s.shell.until(ctx, func(context.Context) error {
		s.simulator, err = openSimulator(dir)
		return err
	}, true)
	if err != nil {
		return fmt.Errorf("the simulator does not come up: %w\n%s", err, s.simulating.lastLines(5))
	}
	fmt.Printf("The simulated MFA service listens at %s.\n", s.simulator.url)
	return writeSamples(s.path("samples"), s.simulator.url, s.simulator.authority)
}

// startManager runs what the Deployment would run, under the Deployment's ServiceAccount: there is no node here to run its Pod.
func (s *stage) startManager(ctx context.Context) error {
	config, err := s.cluster.ServiceAccountConfig(ctx, operatorNamespace, operatorAccount)
	if err != nil {
		return err
	}
	if err := localcluster.WriteKubeconfig(config, s.path("manager.kubeconfig")); err != nil {
		return err
	}
	s.manage, err = startProcess(s.failed, s.path("manager.log"), filepath.Join(s.bin, "manager"),
		"--kubeconfig="+s.path("manager.kubeconfig"),
		"--leader-elect", "--leader-election-namespace="+operatorNamespace,
		// The ports of the Deployment may be taken on this machine.
		"--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0",
		// People read this log.
		"--zap-encoder=console", "--zap-stacktrace-level=panic")
	if err != nil {
		return err
	}
	return s.tell(ctx, "The manager runs as a process of its own, with the rights of its ServiceAccount. Its log: "+s.manage.log,
		command{
			line: fmt.Sprintf("kubectl --kubeconfig=%s auth whoami -o jsonpath='{.status.userInfo.username}'", s.path("manager.kubeconfig")),
			sees: "the manager's own identity",
			want: []string{"^system:serviceaccount:" + operatorNamespace + ":" + operatorAccount + "$"},
		},
	)
}

// stop ends everything, what depends on others first.
func (s *stage) stop(keepLogs bool) error {
	errs := []error{s.manage.stop(), s.simulating.stop()}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	if !keepLogs {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// report prints what helps to find out why something was not seen. It works after an interrupt too.
func (s *stage) report() {
	if s.manage == nil {
		return // then it is not about the operator
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	const overview = "kubectl get mfaconn,mfau -A -o wide"
	out, _ := s.shell.run(ctx, overview) // an error is in the output
	fmt.Printf("\n$ %s\n%s\n\nThe manager's last lines; all logs are in %s:\n%s\n", overview, indent(out), s.dir, s.manage.lastLines(8))
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }
