package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/trustbuilder-mfa/operator/api/v1alpha1"
	"github.com/trustbuilder-mfa/operator/internal/mfaclient"
)

const (
	// devicesShown is how many devices status lists.
	devicesShown = 20
	// deviceIDsKept is how many ids are kept with a code.
	deviceIDsKept = 100
)

var deviceStates = map[int]string{0: "Active", 1: "Locked", 2: "PinLocked"}

// observeDevices reads the devices of an account whose state has changed, and of nobody else: they are not in the listing.
func (r *UserReconciler) observeDevices(ctx context.Context, s *scope) error {
	state := s.user.Status.State
	if s.account == nil || s.made || state == v1alpha1.StatePendingActivation || state == v1alpha1.StateExpired {
		s.user.Status.Devices = nil // none was ever enrolled
		return nil
	}
	if state == s.base.Status.State && !s.takenUp && !r.deviceReads.due(s.user.UID) {
		return nil
	}
	_, _, err := r.readDevices(ctx, s)
	return err
}

// outOfReach tells whether a call for devices failed in a way that says nothing about the account: the token has no right to
// read them, or the service has no such call or, time and again, answers it in another way. They are only shown, and no reason
// to stop managing the account.
func outOfReach(err error, failedBefore bool) bool {
	switch mfaclient.KindOf(err) {
	case mfaclient.KindDenied, mfaclient.KindInvalid, mfaclient.KindNotFound:
		return true
	case mfaclient.KindMalformed:
		return failedBefore // one may have been cut short
	}
	return false
}

// usedByDevice tells whether an AddDevice or Restore code was used: the account then has a device that it had not when the
// code was asked for. It looks once per interval.
func (r *UserReconciler) usedByDevice(ctx context.Context, s *scope, code *v1alpha1.CodeStatus) (v1alpha1.CodePhase, error) {
	if s.client == nil || code.DeviceIDs == nil || s.now.Before(r.deviceReads.next(s.user.UID, s.now, interval(s.connObject))) {
		return "", nil
	}
	devices, known, err := r.readDevices(ctx, s)
	if err != nil || !known { // then the use is not seen
		return "", err
	}
	for _, device := range devices {
		if !slices.Contains(code.DeviceIDs, string(device.ID)) {
			return v1alpha1.CodeUsed, nil
		}
	}
	return "", nil
}

// addsDevice tells whether the use of a code shows in the devices alone.
func addsDevice(purpose v1alpha1.CodePurpose) bool {
	return purpose == v1alpha1.PurposeAddDevice || purpose == v1alpha1.PurposeRestore
}

// devicesBefore returns the ids of the devices that an account has before a code is asked for that adds one; nil when they
// can't be known. That is no reason to keep the code from the person: only its use is not seen then.
func (r *UserReconciler) devicesBefore(ctx context.Context, s *scope, purpose v1alpha1.CodePurpose) ([]string, error) {
	if !addsDevice(purpose) {
		return nil, nil
	}
	devices, known, err := r.readDevices(ctx, s)
	if err != nil || !known || len(devices) > deviceIDsKept {
		return nil, err
	}
	ids := make([]string, 0, len(devices))
	for _, device := range devices {
		ids = append(ids, string(device.ID))
	}
	slices.Sort(ids)
	return ids, nil
}

// readDevices reads the devices and shows them in status, in an order of their own. They are not known where they are out of reach.
func (r *UserReconciler) readDevices(ctx context.Context, s *scope) (devices []mfaclient.Device, known bool, err error) {
	devices, err = s.client.ListDevices(ctx, s.accountID())
	failedBefore := r.deviceReads.note(s.user.UID, s.now, err != nil)
	switch {
	case err != nil && outOfReach(err, failedBefore):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read the devices: %w", err)
	}
	shown := make([]v1alpha1.DeviceStatus, 0, len(devices))
	for _, device := range devices {
		shown = append(shown, v1alpha1.DeviceStatus{Family: device.Family, Name: device.Name, State: cmp.Or(deviceStates[device.State], "Unknown")})
	}
	slices.SortFunc(shown, func(a, b v1alpha1.DeviceStatus) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Name, b.Name), cmp.Compare(a.State, b.State))
	})
	s.user.Status.Devices = shown[:min(len(shown), devicesShown)]
	return devices, true, nil
}

// deviceReads remembers when the devices of which user were read.
type deviceReads struct {
	mu     sync.Mutex
	byUser map[types.UID]deviceRead
}

type deviceRead struct {
	at     time.Time
	failed bool
	owed   bool // the state changed in a pass that did not get to reading them
}

func newDeviceReads() *deviceReads { return &deviceReads{byUser: map[types.UID]deviceRead{}} }

// note records how a read has ended, and tells how the one before it had.
func (d *deviceReads) note(user types.UID, at time.Time, failed bool) (failedBefore bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	failedBefore = d.byUser[user].failed
	d.byUser[user] = deviceRead{at: at, failed: failed}
	return failedBefore
}

// owe has the devices read by the next pass that gets so far.
func (d *deviceReads) owe(user types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	read := d.byUser[user]
	read.owed = true
	d.byUser[user] = read
}

// next is when the devices are to be read again: now, when this process never has.
func (d *deviceReads) next(user types.UID, now time.Time, every time.Duration) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if read, ok := d.byUser[user]; ok {
		return read.at.Add(every)
	}
	return now
}

// due tells whether the devices have to be read though the state is the same.
func (d *deviceReads) due(user types.UID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byUser[user].failed || d.byUser[user].owed
}

func (d *deviceReads) forget(user types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byUser, user)
}
