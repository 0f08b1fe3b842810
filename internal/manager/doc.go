// Package manager puts the operator together: the controllers, the lease, the probes, and the metrics endpoint with its
// checks of who is asking. The program and the end-to-end tests start the same manager.
package manager
