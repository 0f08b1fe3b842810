// Package inventory keeps the picture of one service's accounts: one paged listing per interval, shared by everybody who
// asks (flight.go), and the changes between two listings as events (changes.go). It is what makes a steady state cost
// ⌈accounts/100⌉ calls however many users are managed.
//
// A listing is no snapshot: pages shift while it is read. So an account that a listing lacks is only missing, until a
// GET and a grace time confirm that it is gone (absence.go); a listing that lacks too many is not believed at all
// (suspicion.go); and what the operator itself has just written stands for a while against listings that do not show it
// yet (pins.go).
package inventory
