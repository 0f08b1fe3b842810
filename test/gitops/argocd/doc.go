// Package argocd holds integrations/argocd and the operator's manifests against Argo CD's own code: its settings, its Lua
// engine, its health and its diff.
package argocd
