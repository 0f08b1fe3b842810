package controller

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/inventory"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

// Names of the indexes over MFAUsers.
const (
	indexConnection = "connection"
	indexLogin      = "loginKey"
	indexAccount    = "connection+accountID"
	indexSecret     = "namespace+codeSecret"
)

func addIndexes(indexer client.FieldIndexer) error {
	for name, extract := range userIndexes() {
		if err := indexer.IndexField(context.Background(), &v1alpha1.MFAUser{}, name, extract); err != nil {
			return err
		}
	}
	return nil
}

func userIndexes() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		indexConnection: func(o client.Object) []string {
			return []string{o.(*v1alpha1.MFAUser).ConnectionKey().String()}
		},
		indexLogin: func(o client.Object) []string {
			return []string{inventory.LoginKey(o.(*v1alpha1.MFAUser).Spec.Login)}
		},
		indexAccount: func(o client.Object) []string {
			user := o.(*v1alpha1.MFAUser)
			if user.Status.AccountID == "" {
				return nil
			}
			return []string{accountIndexKey(user.ConnectionKey(), user.Status.AccountID)}
		},
		indexSecret: func(o client.Object) []string {
			user := o.(*v1alpha1.MFAUser)
			if user.Spec.Code.SecretName == "" {
				return nil // its name tells, and nearly all are such
			}
			return []string{user.Namespace + "/" + user.Spec.Code.SecretName}
		},
	}
}

func accountIndexKey(connection types.NamespacedName, id string) string {
	return connection.String() + "#" + id
}

// usersBy lists the MFAUsers under an index without copying them: callers must not change them.
func (w *world) usersBy(ctx context.Context, index, value string) ([]v1alpha1.MFAUser, error) {
	var list v1alpha1.MFAUserList
	err := w.client.List(ctx, &list, client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// managedAccounts returns the accounts that the MFAUsers of a connection hold.
func (w *world) managedAccounts(connection types.NamespacedName) map[mfaclient.AccountID]struct{} {
	ids := map[mfaclient.AccountID]struct{}{}
	for user := range w.usersThrough(connection) {
		if id := user.Status.AccountID; id != "" {
			ids[mfaclient.AccountID(id)] = struct{}{}
		}
	}
	return ids
}

// wakeHolders wakes the MFAUsers whose account a listing showed changed, and those that wait for such a login.
func (w *world) wakeHolders(connection types.NamespacedName, changes []inventory.Change) {
	for _, change := range changes {
		for _, at := range []struct{ index, value string }{
			{indexAccount, accountIndexKey(connection, string(change.ID))},
			{indexLogin, inventory.LoginKey(change.Login)},
		} {
			users, err := w.usersBy(context.Background(), at.index, at.value)
			if err != nil {
				logf.Log.Error(err, "find the MFAUsers of a changed account", "connection", connection)
			}
			for n := range users {
				if users[n].ConnectionKey() == connection {
					w.users.add(client.ObjectKeyFromObject(&users[n]))
				}
			}
		}
	}
}

// wakeUsersOf wakes all users of a connection, behind those with news of their own.
func (w *world) wakeUsersOf(connection types.NamespacedName) {
	for user := range w.usersThrough(connection) {
		w.users.add(client.ObjectKeyFromObject(user))
	}
}

// newsForConnection tells whether a change of a user matters to its connection: its removal begins or ceases to be held, or
// it is the first to hold on to a connection, or one that a leaving connection waits for.
func (w *world) newsForConnection(connection types.NamespacedName, before, after *v1alpha1.MFAUser) bool {
	if heldBack(before) != heldBack(after) {
		return true
	}
	conn := w.connections.known(connection)
	if conn == nil || holdsOn(before) == holdsOn(after) {
		return false // a connection that this process does not know has its first pass still before it
	}
	coming, going := conn.minds()
	return coming && holdsOn(after) || going && holdsOn(before)
}

// wakeQueue lets code outside a controller's watches add to its queue. What is added before the controller has started
// is dropped: the controller then looks at everything anyway.
type wakeQueue struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[ctrl.Request]
}

// Start is a source.Func.
func (w *wakeQueue) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = queue
	return nil
}

func (w *wakeQueue) add(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch queue := w.queue.(type) {
	case nil:
	case priorityqueue.PriorityQueue[ctrl.Request]:
		low := handler.LowPriority
		queue.AddWithOpts(priorityqueue.AddOpts{Priority: &low}, ctrl.Request{NamespacedName: key})
	default:
		queue.Add(ctrl.Request{NamespacedName: key})
	}
}
