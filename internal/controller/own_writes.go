package controller

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ownWrites remembers the version of each object that this process has written last. The cache may be behind it when the
// next pass comes at once. A pass that finds nothing to write must know that: status may by now say something else than
// its old copy does, and nothing would correct it, since the queue has merged whatever pass was due into this one.
type ownWrites struct {
	mu sync.Mutex
	// versions are resource versions by the object's UID; unknownVersion after a write whose outcome is not known.
	versions map[types.UID]string
}

const unknownVersion = ""

func newOwnWrites() *ownWrites { return &ownWrites{versions: map[types.UID]string{}} }

// patchStatus writes the status of an object that this pass is about, and remembers how that ended.
func (w *world) patchStatus(ctx context.Context, object client.Object, patch client.Patch) error {
	err := w.client.Status().Patch(ctx, object, patch)
	w.own.note(object, err)
	return err
}

// note records how a write of an object has ended.
func (w *ownWrites) note(object client.Object, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.versions[object.GetUID()] = object.GetResourceVersion()
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err): // clearly not written
	default:
		w.versions[object.GetUID()] = unknownVersion
	}
}

// shownBy tells whether a copy is known to be no older than the last write.
func (w *ownWrites) shownBy(object client.Object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	written, ok := w.versions[object.GetUID()]
	if !ok {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), written)
	return err == nil && order >= 0
}

// forget drops an object that is gone.
func (w *ownWrites) forget(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.versions, uid)
}
