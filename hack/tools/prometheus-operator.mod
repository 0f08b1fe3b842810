// Only its CRDs are used, to see that what is shipped for it is accepted.
module github.com/trustbuilder-mfa/operator/hack/tools

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
