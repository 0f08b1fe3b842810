# `make` alone prints what there is. Nothing has to be installed but Go, make and git.

SHELL := /usr/bin/env bash -o pipefail
.SHELLFLAGS := -ec
.DEFAULT_GOAL := help

# One set of build flags for every call of go, whatever the caller's environment says: another set would
# compile everything a second time. The version comes from git below, so -buildvcs has nothing to add.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false
export GOWORK := off

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

# The image that `make deploy` puts in the place of the one in config/manager.
IMG ?= trustbuilder-mfa-operator:latest
CONTAINER_TOOL ?= docker
KUBECTL ?= kubectl

# Tools have versions of their own in go.tools.mod and are built on first use.
TOOL := go tool -modfile=go.tools.mod
CONTROLLER_GEN ?= $(TOOL) controller-gen
KUSTOMIZE ?= $(TOOL) kustomize
GOLANGCI_LINT ?= $(TOOL) golangci-lint

KUSTOMIZATIONS := $(sort $(dir $(shell find config -name kustomization.yaml)))
# Modules inside this repository whose light packages are built, vetted and tested with the rest.
LOCALCLUSTER := hack/localcluster
# Modules of their own, so that the operator does not get what they depend on: Argo CD and Flux to test the integrations with,
# Prometheus to hold the dashboard against, container images for a release.
GITOPS := test/gitops
DASHBOARD := hack/dashboard
RELEASE := hack/release
MODULES := $(GITOPS) $(DASHBOARD) $(RELEASE)

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; printf "Usage: make \033[36m<target>\033[0m\n"} \
		/^[a-zA-Z_0-9-]+:.*?##/ {printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2} \
		/^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)}' $(MAKEFILE_LIST)

##@ Development

.PHONY: generate
generate: ## Generate deepcopy functions and apply configurations.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1
	rm -rf api/applyconfiguration
	$(CONTROLLER_GEN) applyconfiguration:headerFile=hack/boilerplate.go.txt,omitToolVersion=true paths=./api/v1alpha1

.PHONY: manifests
manifests: ## Generate the CRDs, the manager's ClusterRole and the snippet for Argo CD.
	rm -f config/crd/bases/*.yaml
	$(CONTROLLER_GEN) crd paths=./api/v1alpha1 output:crd:artifacts:config=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=manager-role paths=./internal/controller output:rbac:artifacts:config=config/rbac/manager
	go run ./hack/argocdcm

.PHONY: reference
reference: ## Generate docs/reference.md from the Go types.
	go tool -modfile=hack/tools/crd-ref-docs.mod crd-ref-docs --config hack/reference/config.yaml --source-path api/v1alpha1 \
		--renderer markdown --output-path docs/reference.md --log-level ERROR

CHART := charts/trustbuilder-mfa-operator

# A chart can't read a file outside its own folder.
.PHONY: chart
chart: ## Copy what the Helm chart shares with config/ into it.
	rm -rf $(CHART)/files
	mkdir -p $(CHART)/files/crds $(CHART)/files/rbac/users $(CHART)/files/monitoring
	cp config/crd/bases/*.yaml $(CHART)/files/crds/
	cp config/rbac/manager/role.yaml config/rbac/operator/leader_election_role.yaml config/rbac/metrics/*_role.yaml $(CHART)/files/rbac/
	cp config/rbac/users/*_role.yaml $(CHART)/files/rbac/users/
	cp config/prometheus/rules.yaml config/grafana/dashboard.json $(CHART)/files/monitoring/

.PHONY: fmt
fmt: ## Format the Go files.
	gofmt -w $(GO_DIRS)

.PHONY: vet
vet: ## Run go vet.
	go vet ./...
	go -C $(LOCALCLUSTER) vet ./cmd/...
	@for module in $(MODULES); do echo "go -C $$module vet ./..."; go -C $$module vet ./...; done

.PHONY: lint
lint: ## Run golangci-lint. Its first build takes some minutes.
	$(GOLANGCI_LINT) run ./...

##@ Checks

GO_DIRS := $(wildcard api cmd hack internal test)

.PHONY: verify
verify: verify-generated verify-format vet verify-modules verify-kustomize ## Fail when generated files, formatting, modules or manifests are not as they should be.

.PHONY: verify-generated
verify-generated: # Generates into a copy, so that the working tree stays as it is.
	hack/verify-generated.sh

.PHONY: verify-format
verify-format:
	@echo "gofmt -l"; out=$$(gofmt -l $(GO_DIRS)); \
	if [ -n "$$out" ]; then echo "not formatted, run make fmt:"; echo "$$out"; exit 1; fi

.PHONY: verify-modules
verify-modules:
	go mod tidy -diff
	@for module in $(MODULES); do echo "go -C $$module mod tidy -diff"; go -C $$module mod tidy -diff; done

.PHONY: verify-kustomize
verify-kustomize:
	@for dir in $(KUSTOMIZATIONS); do \
		echo "kustomize build $$dir"; $(KUSTOMIZE) build "$$dir" >/dev/null; \
	done

# Finds, downloads or (once per version, 13 minutes on two cores) builds the control plane.
# A failure here must stop the recipe: tests without a control plane would not be the tests.
ASSETS = assets=$$(go -C $(LOCALCLUSTER) run ./cmd/assets -controller-manager); export KUBEBUILDER_ASSETS="$$assets"

# -count=1: go keeps results until a file changes that the test itself has read, and does not see what kubectl, the API
# server and the manager read. A kept result would be a test skipped in silence. The quick modules come first: what they find
# is known in a minute, and not after the control plane's twenty.
.PHONY: test
test: ## Run all tests, those on a real API server included.
	go -C $(LOCALCLUSTER) test -count=1 ./cmd/...
	@for module in $(MODULES); do echo "go -C $$module test ./..."; go -C $$module test -count=1 -timeout 45m ./...; done
	$(ASSETS); go test -count=1 -timeout 45m ./...

SEEDS ?= 200

# The worlds of one run take turns. `make test` plays 30 of them.
.PHONY: model
model: ## Play SEEDS random worlds (default 200) and hold every promise in them; SEED=7 plays that one again.
	$(ASSETS); go test -count=1 -timeout 2h ./internal/controller -run '^TestModel$$' -args -seeds=$(SEEDS) -seed=$(or $(SEED),0)

# What uses goroutines and needs no control plane. internal/controller is left out: TestMain starts an API server there, and
# its tests call the reconcilers one after the other, so that the race detector would have nothing to see. The other
# packages have no goroutines of their own, and would have all of Kubernetes compiled once more.
RACE := ./cmd/mfasim/... ./internal/inventory/... ./internal/mfaclient/... ./internal/mfasim/...

.PHONY: race
race: ## Run the tests that need no control plane with the race detector (needs a C compiler).
	@command -v "$$(go env CC)" >/dev/null || { echo "make race: NOT RUN, the race detector needs a C compiler and $$(go env CC) is not there" >&2; exit 1; }
	CGO_ENABLED=1 GOFLAGS=-buildvcs=false go test -race -count=1 $(RACE)

FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## Run every fuzz target in turn, FUZZTIME each (default 30s). An input that fails is kept as a test.
	hack/fuzz.sh $(FUZZTIME)

N ?=
OUT ?=
KILLS ?= 20
SEED ?=

.PHONY: bench
bench: ## Measure N users (default 2000): make bench N=2000 OUT=FILE.
	$(ASSETS); go run ./test/bench -n $(or $(N),2000) $(if $(OUT),-out $(OUT))

# `make test` has a small one of 200 users and 5 kills.
.PHONY: storm
storm: ## Let everything go wrong at once for N users (default 1000): make storm N=1000 KILLS=20 SEED=NUMBER.
	$(ASSETS); go test -count=1 -timeout 60m -v ./test/storm -args -users $(or $(N),1000) -kills $(KILLS) $(if $(SEED),-seed $(SEED))

LENGTH ?= 12m

# The picture in docs/operations.md: the dashboard's own panels and queries, over what the real manager has said.
.PHONY: dashboard-picture
dashboard-picture: ## Record the real manager for LENGTH (default 12m) and draw docs/dashboard.svg from it.
	mkdir -p bin; $(ASSETS); go run ./test/footage -out '$(CURDIR)/bin/footage.txt' -length $(LENGTH)
	go -C $(DASHBOARD) run . -recording '$(CURDIR)/bin/footage.txt' -draw '$(CURDIR)/docs/dashboard.svg'

##@ Try it

ONCE ?=

# exec, not `go run`: a signal to make must reach the demo, which has a control plane to stop.
.PHONY: demo
demo: ## Bring up control plane, simulator, manager and samples, and show them; ONCE=1 ends by itself.
	$(ASSETS); go build -v -ldflags '$(LDFLAGS)' -o bin/ ./cmd/... ./hack/demo; exec bin/demo $(if $(ONCE),-once=$(ONCE))

.PHONY: run
run: ## Run the manager on this machine against the current cluster, with your own rights.
	go run -ldflags '$(LDFLAGS)' ./cmd/manager --metrics-bind-address=127.0.0.1:8080 --metrics-secure=false \
		--zap-encoder=console $(ARGS)

##@ Build

.PHONY: build
build: ## Build bin/manager, bin/mfasim and bin/kubectl-mfa.
	go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

.PHONY: docker-build
docker-build: ## Build the image IMG.
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: docker-push
docker-push: ## Push the image IMG.
	$(CONTAINER_TOOL) push $(IMG)

.PHONY: clean
clean: ## Remove what was built here. The control plane in the user's cache folder stays.
	rm -rf bin dist

RELEASE_IMAGE ?= trustbuilder-mfa-operator

.PHONY: release
release: ## Build everything of a release into dist: make release VERSION=v1.2.3 [RELEASE_IMAGE=name without tag].
	go -C $(RELEASE) build -o '$(CURDIR)/bin/release' .
	bin/release -version '$(VERSION)' -image '$(RELEASE_IMAGE)'

##@ Deployment

.PHONY: install
install: ## Install the CRDs into the current cluster.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: ## Remove the CRDs from the current cluster, and with them every MFAUser and MFAConnection.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found -f -

# The image is replaced on the way: `kustomize edit` would change a file of the repository.
BUILD_DEFAULT = $(KUSTOMIZE) build config/default | sed 's|image: trustbuilder-mfa-operator:latest|image: $(IMG)|'

.PHONY: deploy
deploy: ## Install everything into the current cluster, with the image IMG.
	$(BUILD_DEFAULT) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove everything from the current cluster.
	$(BUILD_DEFAULT) | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: build-installer
build-installer: ## Write everything with the image IMG into dist/install.yaml.
	mkdir -p dist
	$(BUILD_DEFAULT) > dist/install.yaml
