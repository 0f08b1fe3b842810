package controller

// What the manager may do in every namespace; config/rbac/manager/role.yaml is generated from here. Each line is needed by the
// code and nothing is here that is not: the end-to-end tests hold the API server's audit log against it.
//
// Users and connections are read from the cache; a connection also live, before a removal is recorded on it, and a user
// before its link is mailed. Both are patched for their finalizer and for status. They are never created, updated or deleted, and `spec` is never written.
// +kubebuilder:rbac:groups=trustbuilder-mfa.dev,resources=mfausers,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=trustbuilder-mfa.dev,resources=mfaconnections,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=trustbuilder-mfa.dev,resources=mfausers/status;mfaconnections/status,verbs=patch
//
// Secrets: watched as metadata by label, read one by one, written by server-side apply, which needs create and patch; a dead
// code that an apply leaves, for somebody else owns the key too, is patched away. A token Secret is patched for its finalizer
// alone, and found again by the metadata of its namespace's Secrets.
// No delete: the garbage collector removes a code Secret with its owner.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
//
// Namespaces are matched against a connection's allowedNamespaces.
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
//
// Events are created once and patched when they repeat.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
