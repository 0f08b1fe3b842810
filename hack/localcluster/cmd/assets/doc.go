// Command assets prints the folder that holds the programs of a local control
// plane: etcd, kube-apiserver, kubectl and, with -controller-manager,
// kube-controller-manager. It takes the first of
//
//  1. KUBEBUILDER_ASSETS, when set;
//  2. the user's cache folder, filled by an earlier run;
//  3. the envtest download, where it can be reached;
//  4. a build from Go modules, which lands in the cache folder.
//
// The folder is all that goes to standard output; progress goes to standard
// error. It is run inside its module and needs nothing but the standard
// library, so that it starts in a second:
//
//	export KUBEBUILDER_ASSETS=$(go -C hack/localcluster run ./cmd/assets)
package main
