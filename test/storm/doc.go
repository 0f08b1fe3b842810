// Package storm lets everything go wrong at once: the service fails three calls in ten, the manager is killed again and
// again, the token is replaced and the API server restarted, while manifests and accounts change. Then the trouble ends,
// and every promise must hold, at no more than twice the calls of a calm run.
//
// One manager at a time, without a lease: it is started again the moment it is killed, which puts more deaths into the work
// than waiting for a lease would. What the lease does is tested in test/e2e.
package storm
