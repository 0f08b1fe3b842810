// Package localcluster runs a real control plane on this machine: etcd, the
// Kubernetes API server with RBAC, and on request kube-controller-manager. The
// tests and the demo share it.
//
// The programs come from the folder that KUBEBUILDER_ASSETS names; the Makefile
// sets it to what hack/localcluster found, downloaded or built. There are no
// nodes: Pods are stored and never run.
package localcluster
