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
	if state == s.base.Status.State && !r.deviceReads.failed(s.user.UID) {
		return nil
	}
	if _, err := r.readDevices(ctx, s); err != nil && !outOfReach(err) {
		return err
	}
	return nil
}

// outOfReach tells whether a call for devices failed in a way that says nothing about the account: the token has no right to
// read them, or the service has no such call or answers it in another way. They are only shown, and no reason to stop managing
// the account.
func outOfReach(err error) bool {
	return slices.Contains([]mfaclient.Kind{mfaclient.KindDenied, mfaclient.KindInvalid, mfaclient.KindNotFound, mfaclient.KindMalformed}, mfaclient.KindOf(err))
}

// usedByDevice tells whether an AddDevice or Restore code was used: the account then has a device that it had not when the
// code was asked for. It looks once per interval.
func (r *UserReconciler) usedByDevice(ctx context.Context, s *scope, code *v1alpha1.CodeStatus) (v1alpha1.CodePhase, error) {
	if s.client == nil || code.DeviceIDs == nil || s.now.Before(r.deviceReads.next(s.user.UID, s.now, interval(s.connObject))) {
		return "", nil
	}
	devices, err := r.readDevices(ctx, s)
	switch {
	case err != nil && outOfReach(err):
		return "", nil // the use is not seen
	case err != nil:
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
	devices, err := r.readDevices(ctx, s)
	switch {
	case outOfReach(err), len(devices) > deviceIDsKept:
		return nil, nil
	case err != nil:
		return nil, err
	}
	ids := make([]string, 0, len(devices))
	for _, device := range devices {
		ids = append(ids, string(device.ID))
	}
	slices.Sort(ids)
	return ids, nil
}

// readDevices reads the devices and shows them in status, in an order of their own.
func (r *UserReconciler) readDevices(ctx context.Context, s *scope) ([]mfaclient.Device, error) {
	devices, err := s.client.ListDevices(ctx, s.accountID())
	r.deviceReads.note(s.user.UID, s.now, err != nil)
	if err != nil {
		return nil, fmt.Errorf("read the devices: %w", err)
	}
	shown := make([]v1alpha1.DeviceStatus, 0, len(devices))
	for _, device := range devices {
		shown = append(shown, v1alpha1.DeviceStatus{Family: device.Family, Name: device.Name, State: cmp.Or(deviceStates[device.State], "Unknown")})
	}
	slices.SortFunc(shown, func(a, b v1alpha1.DeviceStatus) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Name, b.Name), cmp.Compare(a.State, b.State))
	})
	s.user.Status.Devices = shown[:min(len(shown), devicesShown)]
	return devices, nil
}

// deviceReads remembers when the devices of which user were read.
type deviceReads struct {
	mu     sync.Mutex
	byUser map[types.UID]deviceRead
}

type deviceRead struct {
	at     time.Time
	failed bool
}

func newDeviceReads() *deviceReads { return &deviceReads{byUser: map[types.UID]deviceRead{}} }

func (d *deviceReads) note(user types.UID, at time.Time, failed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byUser[user] = deviceRead{at, failed}
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

func (d *deviceReads) failed(user types.UID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byUser[user].failed
}

func (d *deviceReads) forget(user types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byUser, user)
}
