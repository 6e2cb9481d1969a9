# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0

# What a target needs it builds from the Go modules in hack/, and keeps it outside
# the tree: Go, make and git are all that has to be there.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE ?= $(or $(VALTUUS_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/valtuus)
VERSION ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),dev)

# One directory per version of the tool modules: changing a version changes the path.
tool_dir = $(CACHE)/bin/$(shell cat hack/$(1)/go.mod hack/$(1)/go.sum | git hash-object --stdin | cut -c1-16)
CONTROLLER_GEN = $(call tool_dir,tools)/controller-gen
OAPI_CODEGEN = $(call tool_dir,tools)/oapi-codegen
GOLANGCI_LINT = $(call tool_dir,lint)/golangci-lint-kube-api-linter
HELM = $(call tool_dir,helm)/helm

OPENAPI_CLIENT = api/archiveclient/openapi/zz_generated.openapi.go

# Helm reads nothing outside of a chart: what config/ has too is copied.
CHART_FILES = charts/valtuus/files

ASSETS = hack/envtest/ensure.sh etcd kube-apiserver
ALL_ASSETS = $(ASSETS) kube-controller-manager

##@ General

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the whole story here, on an API server of its own (KEEP=1 leaves it running).
	@assets=$$($(ASSETS)); KUBEBUILDER_ASSETS=$$assets go run ./hack/demo $(if $(KEEP),-keep)

##@ Tests

# Nothing may be skipped: a suite that silently does not run looks like one that passes.
.PHONY: test
test: ## Run all unit and API server suites (TESTFLAGS is passed on).
	@command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || \
		echo "no PostgreSQL server is installed: what needs one is skipped" >&2
	@assets=$$($(ALL_ASSETS)); \
		KUBEBUILDER_ASSETS=$$assets VALTUUS_REQUIRE_ALL=1 go test -count=1 -timeout 60m $(TESTFLAGS) ./...

.PHONY: test-short
test-short: ## Run the tests that need no server.
	go test -short ./...

.PHONY: race
race: ## Run the tests of internal/ with the race detector (needs a C compiler).
	@assets=$$($(ALL_ASSETS)); \
		KUBEBUILDER_ASSETS=$$assets VALTUUS_REQUIRE_ALL=1 go test -race -count=1 -timeout 60m $(TESTFLAGS) ./internal/...

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (20s).
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## Measure, and print the figures.
	@assets=$$($(ASSETS)); KUBEBUILDER_ASSETS=$$assets go run ./hack/bench $(BENCHFLAGS)

.PHONY: envtest
envtest: ## Fetch or build the servers that the suites need, and print where they are.
	@$(ALL_ASSETS)

##@ Cluster

# CLUSTER_DIR holds all of a running cluster; where KUBECONFIG is answered, none is started.
.PHONY: cluster-up
cluster-up: ## Run a real Kubernetes of one node here (Linux, root), in CLUSTER_DIR.
	@go run ./hack/cluster up

.PHONY: cluster-down
cluster-down: ## End it and leave nothing behind (CHECK=1 only looks).
	@go run ./hack/cluster down $(if $(CHECK),-check)

.PHONY: cluster-load
cluster-load: images ## Build the image and give it to the running cluster.
	@go run ./hack/cluster load $(IMAGE_ARCHIVE)

.PHONY: cluster-test
cluster-test: cluster-load ## Prove with pods that the running cluster works (TESTFLAGS is passed on).
	@VALTUUS_IMAGE=$(IMAGE) go test -tags cluster -count=1 -timeout 20m -run 'Pods' $(TESTFLAGS) ./hack/cluster

.PHONY: e2e
e2e: images $(HELM) ## Prove the whole product on the running cluster, and measure it (KEEP=1 leaves it there).
	@IMAGE=$(IMAGE) HELM=$(HELM) hack/e2e/run.sh $(TESTFLAGS)

.PHONY: cluster-lifecycle
cluster-lifecycle: ## Start, kill and end clusters in many ways, and look that nothing is left.
	@go test -tags cluster -count=1 -timeout 30m -run 'TestDown' $(TESTFLAGS) ./hack/cluster

IMAGE ?= ghcr.io/valtuus/valtuus:$(VERSION)
IMAGE_ARCHIVE = dist/images/valtuus.tar

.PHONY: images
images: ## Build the image into dist/images, with no engine; the same source gives the same bytes.
	@mkdir -p $(dir $(IMAGE_ARCHIVE))
	CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o dist/linux/valtuus .
	@digest=$$(GOWORK=off GOFLAGS=-mod=readonly go run -C hack/images . -binary $(CURDIR)/dist/linux/valtuus -arch $$(go env GOARCH) \
		-name $(IMAGE) -out $(CURDIR)/$(IMAGE_ARCHIVE) $(foreach label,$(IMAGE_LABELS),-label $(label)) \
		-label org.opencontainers.image.version=$(VERSION)); \
		echo "$(IMAGE)@$$digest in $(IMAGE_ARCHIVE)"

# The Dockerfile has the same, and the same user.
IMAGE_LABELS = org.opencontainers.image.title=valtuus org.opencontainers.image.licenses=Apache-2.0 \
	org.opencontainers.image.source=https://github.com/valtuus/valtuus

##@ Development

.PHONY: generate
generate: $(CONTROLLER_GEN) $(OAPI_CODEGEN) ## Generate the API client, deep copies, apply configurations, CRDs, RBAC and the chart's copies.
	@mkdir -p $(dir $(OPENAPI_CLIENT))
	{ cat hack/boilerplate.go.txt; echo; $(OAPI_CODEGEN) -config hack/tools/oapi-codegen.yaml internal/archive/openapi.yaml; } >$(OPENAPI_CLIENT).tmp
	@mv -f $(OPENAPI_CLIENT).tmp $(OPENAPI_CLIENT)
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(CONTROLLER_GEN) applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=valtuus-manager paths=./controllers/... output:rbac:artifacts:config=config/rbac
	@rm -rf $(CHART_FILES)
	@mkdir -p $(addprefix $(CHART_FILES)/,crd rbac namespaces admission prometheus)
	cp config/crd/bases/*.yaml $(CHART_FILES)/crd
	cp $(addprefix config/rbac/,role.yaml archive_role.yaml persona_roles.yaml revoke_role.yaml) $(CHART_FILES)/rbac
	cp config/namespaces/manager_cluster_role.yaml $(CHART_FILES)/namespaces
	cp $(filter-out %/kustomization.yaml,$(wildcard config/admission/*.yaml)) $(CHART_FILES)/admission
	cp config/prometheus/rules.yaml config/prometheus/dashboard.json $(CHART_FILES)/prometheus

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code.
	$(GOLANGCI_LINT) fmt

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Lint the Go code and the API (LINTFLAGS=--fix repairs what it can).
	$(GOLANGCI_LINT) run $(LINTFLAGS)

.PHONY: lint-openapi
lint-openapi: ## Lint the description of the archive's HTTP API (needs npm; left out without it).
	@VALTUUS_CACHE=$(CACHE) hack/openapi/lint.sh

.PHONY: verify
verify: $(CONTROLLER_GEN) $(OAPI_CODEGEN) $(GOLANGCI_LINT) ## Check generated files, formatting, modules, lint, chart and CRD compatibility.
	@hack/verify.sh

.PHONY: chart
chart: ## Lint and test the Helm chart, and hold config/ against it.
	@assets=$$($(ASSETS)); KUBEBUILDER_ASSETS=$$assets VALTUUS_REQUIRE_ALL=1 GOWORK=off \
		go test -C hack/chart -count=1 -timeout 60m $(TESTFLAGS) ./...

.PHONY: build
build: ## Build bin/valtuus; the same source gives the same bytes.
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o bin/valtuus .

.PHONY: clean
clean: ## Remove what was built in the tree (the cache stays).
	rm -rf bin dist

# Built to a temporary name: a tool that exists is a tool that is complete.
$(CONTROLLER_GEN):
	@$(call build_tool,tools,sigs.k8s.io/controller-tools/cmd/controller-gen)
$(OAPI_CODEGEN):
	@$(call build_tool,tools,github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen)
$(GOLANGCI_LINT):
	@$(call build_tool,lint,sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter)

$(HELM):
	@$(call build_tool,helm,helm.sh/helm/v4/cmd/helm)

define build_tool
echo "building $(@F) from its Go module; first time only, a minute or two" >&2; \
	mkdir -p $(@D); \
	GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -C hack/$(1) -trimpath -buildvcs=false -ldflags "-s -w" -o $@.$$$$ $(2); \
	mv -f $@.$$$$ $@
endef
