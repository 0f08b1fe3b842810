// Package program runs the manager as a process of its own, as a cluster does, so that tests can kill it, freeze it and
// start another beside it, and finds the pinned tools that tests call.
package program
