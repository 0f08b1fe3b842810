package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/test/program"
)

// The names that config/default gives.
const (
	systemNamespace = "trustbuilder-mfa-system"
	serviceAccount  = "trustbuilder-mfa-controller-manager"
	operatorUser    = "system:serviceaccount:" + systemNamespace + ":" + serviceAccount
)

// stage is where the phases play: control plane, service, and the manager while it runs.
type stage struct {
	options
	progress
	dir     string
	cluster *localcluster.Cluster
	config  *rest.Config // the administrator's, without a limit
	admin   client.Client
	service *service

	manager, kubeconfig string // paths
	operator            *operator
	peakMemory          int // bytes, of all runs of the manager so far
}

// newStage starts everything but the manager.
func newStage(ctx context.Context, opts options) (*stage, error) {
	dir, err := os.MkdirTemp("", "mfa-bench-")
	if err != nil {
		return nil, err
	}
	s := &stage{options: opts, progress: newProgress(), dir: dir, service: newService()}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) prepare(ctx context.Context) (err error) {
	s.say("building the manager")
	if s.manager, err = program.Build(ctx, s.dir); err != nil {
		return err
	}
	s.say("starting etcd and the API server")
	s.cluster, err = localcluster.Start(ctx, localcluster.Options{
		CRDPaths: []string{"config/crd/bases"}, AuditLog: filepath.Join(s.dir, "audit.log"),
	})
	if err != nil {
		return err
	}
	s.config = rest.CopyConfig(s.cluster.Config)
	s.config.QPS = -1
	if s.admin, err = client.New(s.config, client.Options{Scheme: newScheme()}); err != nil {
		return err
	}
	if err := s.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", "config/default"); err != nil {
		return err
	}
	account, err := s.cluster.ServiceAccountConfig(ctx, systemNamespace, serviceAccount)
	if err != nil {
		return err
	}
	s.kubeconfig = filepath.Join(s.dir, "manager.kubeconfig")
	return localcluster.WriteKubeconfig(account, s.kubeconfig)
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

func (s *stage) kubectl(ctx context.Context, args ...string) error {
	args = append([]string{"--kubeconfig=" + s.cluster.AdminKubeconfig()}, args...)
	output, err := exec.CommandContext(ctx, s.cluster.Kubectl(), args...).CombinedOutput() //nolint:gosec // our own arguments
	if err != nil {
		return fmt.Errorf("kubectl: %w\n%s", err, output)
	}
	return nil
}

func (s *stage) startOperator() (err error) {
	s.operator, err = startOperator(s.manager, s.kubeconfig, filepath.Join(s.dir, "manager.log"))
	return err
}

// stopOperator ends the manager and keeps the most memory that any of its runs has used.
func (s *stage) stopOperator() error {
	peak, err := s.operator.PeakMemory()
	s.say("the manager used %.1f MiB at most", float64(peak)/(1<<20))
	s.peakMemory = max(s.peakMemory, peak)
	err = errors.Join(err, s.operator.stop())
	s.operator = nil
	return err
}

// operatorsLastWords is the end of the manager's log, for errors.
func (s *stage) operatorsLastWords() string {
	if s.operator == nil {
		return ""
	}
	return s.operator.Tail(20)
}

// close ends everything and removes the files.
func (s *stage) close() error {
	var errs []error
	if s.operator != nil {
		errs = append(errs, s.operator.stop())
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	s.service.server.Close()
	return errors.Join(append(errs, os.RemoveAll(s.dir))...) //nolint:gosec // made here
}
