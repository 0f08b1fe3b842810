package localcluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options say what to start. The zero value is an API server and etcd with the
// programs of KUBEBUILDER_ASSETS.
type Options struct {
	// Assets is the folder of the programs; default: KUBEBUILDER_ASSETS.
	Assets string
	// CRDPaths are files and folders of CustomResourceDefinitions to install;
	// Start returns when they are served.
	CRDPaths []string
	// AuditLog is a file to which the API server writes one JSON line for each
	// request, without bodies; empty means no audit log.
	AuditLog string
	// WithControllerManager starts kube-controller-manager with the few
	// controllers that make namespaces go, owned objects follow their owners,
	// quotas count and aggregated roles fill.
	WithControllerManager bool
	// APIServerFlags are further flags of kube-apiserver, without the dashes.
	APIServerFlags map[string]string
	// Out and Err get the output of all programs; default: thrown away, but for
	// the last lines of a program that does not start, which are in the error.
	Out, Err io.Writer
}

// ErrNoAssets says that nothing names a folder with the programs.
var ErrNoAssets = errors.New("KUBEBUILDER_ASSETS is not set; run: make test")

// assets returns the absolute folder of the programs, all of which are there.
func (o Options) assets() (string, error) {
	folder := o.Assets
	if folder == "" {
		folder = os.Getenv("KUBEBUILDER_ASSETS")
	}
	if folder == "" {
		return "", ErrNoAssets
	}
	need := []string{"etcd", "kube-apiserver", "kubectl"}
	if o.WithControllerManager {
		need = append(need, controllerManager)
	}
	for _, name := range need {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil { //nolint:gosec // whoever starts it says where its programs are
			return "", fmt.Errorf("the folder of the control plane's programs lacks one: %w", err)
		}
	}
	return filepath.Abs(folder)
}
