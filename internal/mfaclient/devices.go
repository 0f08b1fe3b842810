package mfaclient

import "context"

// DeviceID is the stable key of a device.
type DeviceID string

// Device is something a person authenticates with.
type Device struct {
	ID     DeviceID
	Family string // ma, ca, mac or va (S)
	Name   string
	Alias  string
	State  int // 0 active, 1 locked, 2 PIN-locked (S)
}

// ListDevices reads all devices of an account, page by page (A).
func (c *Client) ListDevices(ctx context.Context, id AccountID) ([]Device, error) {
	q := request{operation: opListDevices, path: map[string]string{"id": string(id)}}
	return listAll(ctx, c, q, readDevice, func(d Device) string { return string(d.ID) })
}

// DeleteDevice removes one device (A). KindNotFound: it or its account was gone before.
func (c *Client) DeleteDevice(ctx context.Context, id AccountID, device DeviceID) error {
	path := map[string]string{"id": string(id), "deviceId": string(device)}
	return c.do(ctx, request{operation: opDeleteDevice, path: path}, nil)
}

func readDevice(o *object) Device {
	return Device{
		ID:     DeviceID(o.required(scopeDevice, "id")),
		Family: o.text(scopeDevice, "family"),
		Name:   o.text(scopeDevice, "name"),
		Alias:  o.text(scopeDevice, "alias"),
		State:  o.number(scopeDevice, "state"),
	}
}
