package controller

import (
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// fieldOwner owns the fields of code Secrets, and names the operator in events.
const fieldOwner = "trustbuilder-mfa-operator"

// Options of the controllers.
type Options struct {
	// Clock tells the time. Required.
	Clock clock.Clock
	// Routes of the remote API, mfaclient.DefaultRoutes() unless overridden.
	Routes mfaclient.Routes
	// ConcurrentUsers and ConcurrentConnections are how many objects of each kind are worked on at once. At least 1.
	ConcurrentUsers, ConcurrentConnections int
	// Namespaces to watch; none means all. CacheOptions has to know the same.
	Namespaces []string
	// UserAgent that the service sees.
	UserAgent string
	// Version of the operator, for the metrics.
	Version string
	// MayCall is asked before each remote call; an error keeps it from being made. Default: every call may be made.
	MayCall func() error
}

// NewScheme knows the kinds that the operator works with.
func NewScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// Setup registers both controllers and the metrics with the manager.
func Setup(mgr ctrl.Manager, opts Options) error {
	if err := addIndexes(mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("index MFAUsers: %w", err)
	}
	// One cache has one informer for the metadata of Secrets, and that one watches the code Secrets.
	tokenOptions := secretCache(v1alpha1.LabelToken, opts.Namespaces)
	tokenOptions.Scheme, tokenOptions.Mapper, tokenOptions.HTTPClient = mgr.GetScheme(), mgr.GetRESTMapper(), mgr.GetHTTPClient()
	tokens, err := cache.New(mgr.GetConfig(), tokenOptions)
	if err != nil {
		return fmt.Errorf("make the cache of token Secrets: %w", err)
	}
	if err := mgr.Add(tokens); err != nil {
		return fmt.Errorf("add the cache of token Secrets: %w", err)
	}

	recorder := mgr.GetEventRecorder(fieldOwner)
	world := newWorld(mgr.GetClient(), mgr.GetAPIReader(), mgr.GetCache(), opts)
	if world.everyUser, err = usersOfCache(mgr.GetCache()); err != nil {
		return fmt.Errorf("find the cache of MFAUsers: %w", err)
	}
	users := &UserReconciler{world: world, events: recorder, groupChecks: newGroupChecks(), deviceReads: newDeviceReads(), gathering: newGathering(), leftCodes: newLeftCodes()}
	if err := users.setup(mgr, opts.ConcurrentUsers); err != nil {
		return fmt.Errorf("set up the MFAUser controller: %w", err)
	}
	connections := &ConnectionReconciler{world: world, events: recorder}
	if err := connections.setup(mgr, tokens, opts.ConcurrentConnections); err != nil {
		return fmt.Errorf("set up the MFAConnection controller: %w", err)
	}
	if err := mgr.Add(world.metrics); err != nil {
		return fmt.Errorf("add the metrics: %w", err)
	}
	return nil
}

// world is what both reconcilers share.
type world struct {
	client client.Client
	// live reads past the cache.
	live client.Reader
	// secrets reads the metadata of our code Secrets from the cache, which client does not do for Secrets.
	secrets   client.Reader
	everyUser everyUser
	clock     clock.Clock
	// jitter rolls a duration below the one given, which is above zero.
	jitter func(time.Duration) time.Duration
	// gatherFor is how long a removal waits for others.
	gatherFor   time.Duration
	opts        Options
	connections *registry
	users       *wakeQueue
	probes      *wakeQueue
	metrics     *collector
	own         *ownWrites
}

func newWorld(c client.Client, live, secrets client.Reader, opts Options) *world {
	w := &world{
		client: c, live: live, secrets: secrets, everyUser: usersOfClient(c), clock: opts.Clock, jitter: rand.N[time.Duration], gatherFor: gatherFor, opts: opts,
		users: &wakeQueue{}, probes: &wakeQueue{}, own: newOwnWrites(),
	}
	w.connections = newRegistry(w)
	w.metrics = newCollector(w)
	return w
}

// now is the time at which a pass happens, in the zone that the API server uses.
func (w *world) now() time.Time { return w.clock.Now().UTC() }
