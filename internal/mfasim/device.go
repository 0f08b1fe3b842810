package mfasim

import (
	"net/http"
	"slices"
)

// States of a device (S).
const (
	deviceActive    = 0
	deviceLocked    = 1
	devicePINLocked = 2
)

// Device is something that an end user has enrolled.
type Device struct {
	ID     ID     `json:"id"`
	Family string `json:"family"` // ma, ca, mac or va (S); default ma, the mobile Authenticator
	Name   string `json:"name"`
	Alias  string `json:"alias"`
	State  int    `json:"state"` // 0 active, 1 locked, 2 PIN-locked
}

type wireDevice struct {
	ID     any    `json:"id"`
	Family string `json:"family"`
	Name   string `json:"name"`
	Alias  string `json:"alias"`
	State  int    `json:"state"`
}

// AddDevice plays the end user who enrols one more device without a code, say through a device that he has. The first one activates the account.
func (s *Service) AddDevice(login string) (Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(login)
	if a == nil {
		return Device{}, ErrNoAccount
	}
	return s.enrol(a), nil
}

// RemoveDevice plays the end user, or somebody in the console, who takes a device away.
func (s *Service) RemoveDevice(login string, id ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.store.find(login)
	if a == nil {
		return ErrNoAccount
	}
	a.devices = slices.DeleteFunc(a.devices, func(d Device) bool { return d.ID == id })
	return nil
}

// Devices are the devices of an account, oldest first; none for a login that does not exist.
func (s *Service) Devices(login string) []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.store.find(login); a != nil {
		return slices.Clone(a.devices)
	}
	return nil
}

func (s *Service) enrol(a *account) Device {
	id := s.newID()
	d := Device{ID: id, Family: "ma", Name: "Phone " + id.String(), Alias: a.Login}
	a.devices = append(a.devices, d)
	a.activated = true
	return d
}

func (a *account) setDeviceState(state int) {
	for i := range a.devices {
		if a.devices[i].State != deviceLocked { // a lock by hand outlasts the PIN's
			a.devices[i].State = state
		}
	}
}

func (s *Service) listDevices(c *call) (any, error) {
	a, err := s.account(c)
	if err != nil {
		return nil, err
	}
	return pageOf(c, a.devices, func(d Device) any {
		return wireDevice{ID: s.wireID(d.ID), Family: d.Family, Name: d.Name, Alias: d.Alias, State: d.State}
	})
}

// deleteDevice leaves the account activated even when it was the last one: being activated means having enrolled once.
func (s *Service) deleteDevice(c *call) (any, error) {
	a, err := s.writable(c)
	if err != nil {
		return nil, err
	}
	id, _ := parseID(c.r.PathValue("device"))
	i := slices.IndexFunc(a.devices, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return nil, refuse(http.StatusNotFound, "DEVICE_NOT_FOUND", "no such device")
	}
	a.devices = slices.Delete(a.devices, i, i+1)
	s.record("DEVICE_DELETED", c.actor.login, a.Login)
	return nil, nil
}
