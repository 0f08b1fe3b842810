// Package inventory keeps the picture of one service's accounts: one paged listing per interval, shared by everybody who
// asks, and the changes between two listings as events. It is what makes a steady state cost ⌈accounts/100⌉ calls however
// many users are managed.
//
// A listing is no snapshot: pages shift while it is read. So an account that a listing lacks is only a suspicion, which
// a GET and a grace time confirm (absence.go), and what the operator itself has just written stands for a while against
// listings that do not show it yet (pins.go).
package inventory
