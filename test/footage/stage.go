package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/internal/controller"
	"github.com/trustbuilder-mfa/operator/internal/localcluster"
	"github.com/trustbuilder-mfa/operator/internal/mfasim"
	"github.com/trustbuilder-mfa/operator/test/program"
)

// The names that config/default gives.
const (
	systemNamespace = "trustbuilder-mfa-system"
	serviceAccount  = "trustbuilder-mfa-controller-manager"
)

// stage is where the story plays: control plane, service, and the replicas of the operator.
type stage struct {
	length  time.Duration
	root    string
	dir     string
	cluster *localcluster.Cluster
	admin   client.Client
	sim     *mfasim.Service
	server  *httptest.Server

	program, kubeconfig string
	replicas            []*replica
}

// newStage starts everything but the operator. Short codes live for a sixth of the story.
func newStage(ctx context.Context, root string, length time.Duration) (*stage, error) {
	dir, err := os.MkdirTemp("", "mfa-footage-")
	if err != nil {
		return nil, err
	}
	s := &stage{length: length, root: root, dir: dir, sim: mfasim.New(mfasim.Options{Lifetimes: mfasim.Lifetimes{Short: length / 6}})}
	s.server = httptest.NewTLSServer(s.sim)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) prepare(ctx context.Context) (err error) {
	if s.program, err = program.Build(ctx, s.dir); err != nil {
		return err
	}
	s.cluster, err = localcluster.Start(ctx, localcluster.Options{CRDPaths: []string{filepath.Join(s.root, "config/crd/bases")}})
	if err != nil {
		return err
	}
	config := rest.CopyConfig(s.cluster.Config)
	config.QPS = -1
	if s.admin, err = client.New(config, client.Options{Scheme: controller.NewScheme()}); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.cluster.Kubectl(), "--kubeconfig="+s.cluster.AdminKubeconfig(), //nolint:gosec // ours
		"apply", "--server-side", "--force-conflicts", "-k", filepath.Join(s.root, "config/default"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, out)
	}
	account, err := s.cluster.ServiceAccountConfig(ctx, systemNamespace, serviceAccount)
	if err != nil {
		return err
	}
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	return localcluster.WriteKubeconfig(account, s.kubeconfig)
}

func (s *stage) authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw}))
}

// close ends everything and removes the files.
func (s *stage) close() error {
	for _, r := range s.replicas {
		r.Kill()
	}
	s.server.Close()
	var errs []error
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
