package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Each program gets this long to start and to stop. They need seconds; a busy
// machine may need more.
const programTimeout = time.Minute

// Cluster is a running control plane. Its methods are for one goroutine at a
// time; the configurations it hands out are for any number.
type Cluster struct {
	// Config is the administrator's access (group system:masters).
	Config *rest.Config

	options Options
	assets  string // folder of the programs
	dir     string // certificates, etcd's data, kubeconfigs; removed by Stop
	env     *envtest.Environment
	manager *managerProcess // nil without kube-controller-manager

	etcdOutput, serverOutput *output
}

// Start brings the control plane up, with the CRDs served and, if asked for,
// the controllers at work. The context bounds only what comes after the API
// server answers. Nothing is left running when it returns an error.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	assets, err := options.assets()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "localcluster-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		options: options, assets: assets, dir: dir,
		etcdOutput: newOutput(options), serverOutput: newOutput(options),
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	if err := c.configure(); err != nil {
		return err
	}
	config, err := c.env.Start()
	if err != nil {
		return fmt.Errorf("start the control plane: %w\n%s", err, c.lastWords())
	}
	c.Config = config
	if err := WriteKubeconfig(config, c.AdminKubeconfig()); err != nil {
		return err
	}
	if !c.options.WithControllerManager {
		return nil
	}
	return c.startControllerManager(ctx)
}

// configure fills in envtest's environment, leaving nothing to the variables
// that envtest reads: they could point a test at a cluster of real people.
func (c *Cluster) configure() error {
	existing := false
	c.env = &envtest.Environment{
		UseExistingCluster:       &existing,
		CRDDirectoryPaths:        c.options.CRDPaths,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: programTimeout,
		ControlPlaneStopTimeout:  programTimeout,
	}
	plane := &c.env.ControlPlane
	plane.KubectlPath = c.Kubectl()
	plane.Etcd = &envtest.Etcd{Path: c.program("etcd"), DataDir: filepath.Join(c.dir, "etcd")}
	plane.Etcd.Out, plane.Etcd.Err = c.etcdOutput.out, c.etcdOutput.err
	server := plane.GetAPIServer()
	server.Path, server.CertDir = c.program("kube-apiserver"), c.certDir()
	server.Out, server.Err = c.serverOutput.out, c.serverOutput.err
	for _, dir := range []string{plane.Etcd.DataDir, server.CertDir} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	// Otherwise stopping waits a minute for open watches to end.
	server.Configure().Set("shutdown-send-retry-after", "true")
	for flag, value := range c.options.APIServerFlags {
		server.Configure().Set(flag, value)
	}
	return c.configureAudit(server)
}

// Stop ends everything and removes the data. The order matters: without its
// API server the controller manager waits, and without etcd the API server
// hangs for minutes. Stopping twice is harmless.
func (c *Cluster) Stop() error {
	var errs []error
	if c.manager != nil {
		errs = append(errs, c.manager.stop())
		c.manager = nil
	}
	if c.env != nil {
		errs = append(errs, c.env.Stop())
		c.env = nil
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// RestartAPIServer stops the API server and starts it again at the same address
// with the same certificates: clients and tokens stay valid, etcd keeps the data.
func (c *Cluster) RestartAPIServer() error {
	server := c.env.ControlPlane.APIServer
	if err := server.Stop(); err != nil {
		return fmt.Errorf("stop the API server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the API server again: %w\n%s", err, c.lastWords())
	}
	return nil
}

// lastWords is the end of what the API server wrote; when it never came to run,
// of what etcd wrote.
func (c *Cluster) lastWords() string {
	if words := c.serverOutput.tail.String(); words != "" {
		return words
	}
	return c.etcdOutput.tail.String()
}

// Kubectl is the path of a kubectl of the same version.
func (c *Cluster) Kubectl() string { return c.program("kubectl") }

func (c *Cluster) program(name string) string { return filepath.Join(c.assets, name) }
func (c *Cluster) certDir() string            { return filepath.Join(c.dir, "certs") }
