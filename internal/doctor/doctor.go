package doctor

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Level is how a check came out.
type Level string

// The levels. A warning is for what may be meant so, or can't be seen from here.
const (
	OK   Level = "OK"
	Warn Level = "WARN"
	Fail Level = "FAIL"
)

// Check is one thing that was looked at.
type Check struct {
	Level Level `json:"level"`
	// About is what was looked at: cluster, crd, rights, manager, or a connection.
	About string `json:"about"`
	What  string `json:"what"`
	// Do says what somebody can do about it.
	Do string `json:"do,omitempty"`
}

// Doctor is where to look, and with whose eyes.
type Doctor struct {
	Client client.Client
	Clock  clock.PassiveClock
	// Version is that of kubectl mfa.
	Version       string
	ServerVersion func() (*version.Info, error)
	// Namespace that the caller works in, and whether he means all.
	Namespace     string
	AllNamespaces bool
	// Connection to look at alone; empty for all of the namespaces.
	Connection string
	// Token in place of those in Secrets; nil for those.
	Token  *mfaclient.Token
	Routes mfaclient.Routes

	checks []Check
}

// Examine looks at everything, the general first: what follows may be the consequence.
func (d *Doctor) Examine(ctx context.Context) []Check {
	d.checks = nil
	if !d.cluster() {
		return d.checks
	}
	d.crds(ctx)
	managers := d.managers(ctx)
	connections := d.connections(ctx)
	for n := range managers {
		d.managersRights(ctx, &managers[n], connections)
	}
	d.rights(ctx, connections)
	for n := range connections {
		d.connection(ctx, &connections[n])
	}
	return d.checks
}

func (d *Doctor) ok(about, format string, args ...any) {
	d.checks = append(d.checks, Check{Level: OK, About: about, What: fmt.Sprintf(format, args...)})
}

func (d *Doctor) warn(about, what, do string) {
	d.checks = append(d.checks, Check{Warn, about, what, do})
}

func (d *Doctor) fail(about, what, do string) {
	d.checks = append(d.checks, Check{Fail, about, what, do})
}

// oldestMinor is the oldest minor version of Kubernetes 1 that serves all that the CRDs state, selectable fields that is.
const oldestMinor = 31

// cluster tells whether there is any use in going on.
func (d *Doctor) cluster() bool {
	info, err := d.ServerVersion()
	if err != nil {
		d.fail("cluster", "the API server can't be reached: "+err.Error(), "check the kubeconfig and its context: kubectl config current-context")
		return false
	}
	minor := 0
	if _, err := fmt.Sscanf(info.Minor, "%d", &minor); err == nil && info.Major == "1" && minor < oldestMinor {
		d.warn("cluster", fmt.Sprintf("Kubernetes %s is older than 1.%d", info.GitVersion, oldestMinor), "upgrade the cluster: field selectors of MFAUsers don't work there")
		return true
	}
	d.ok("cluster", "Kubernetes %s", info.GitVersion)
	return true
}

// connections are those to look at.
func (d *Doctor) connections(ctx context.Context) []v1alpha1.MFAConnection {
	if d.Connection != "" {
		var one v1alpha1.MFAConnection
		if err := d.Client.Get(ctx, client.ObjectKey{Namespace: d.Namespace, Name: d.Connection}, &one); err != nil {
			d.fail("connection "+d.Namespace+"/"+d.Connection, "it can't be read: "+err.Error(), "name one that exists: kubectl get mfaconn -A")
			return nil
		}
		return []v1alpha1.MFAConnection{one}
	}
	var list v1alpha1.MFAConnectionList
	namespace := d.Namespace
	if d.AllNamespaces {
		namespace = ""
	}
	if err := d.Client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		d.warn("connections", "they can't be listed: "+err.Error(), "ask for the right to, or look in one namespace with -n")
		return nil
	}
	if len(list.Items) == 0 {
		d.warn("connections", "there is none "+within(namespace), "create an MFAConnection as the README says, or look elsewhere with -n or -A")
	}
	return list.Items
}

func within(namespace string) string {
	if namespace == "" {
		return "in the cluster"
	}
	return "in the namespace " + namespace
}

// soon is how long before its end a token or certificate is worth a warning.
const soon = 30 * 24 * time.Hour

// ending tells how a date stands.
func (d *Doctor) ending(at time.Time) (over, near bool) {
	left := at.Sub(d.Clock.Now())
	return left <= 0, left < soon
}
