// Package flux holds integrations/flux and the operator's manifests against Flux's own code: kstatus, and the types of its
// objects.
package flux
