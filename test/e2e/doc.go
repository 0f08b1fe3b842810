// Package e2e holds the tests of the whole: the manager as the program starts it, under the ServiceAccount and the rights
// of config/, against a real API server and the simulated MFA service. What single steps do is tested where they are.
package e2e
