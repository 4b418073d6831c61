# Needs Go, make and git. What else a target needs it installs or builds itself,
# and keeps in the user's cache directory (XDG_CACHE_HOME).

BINARIES := containerd-shim-mayfly-v1 mayfly-init mayfly-engine mayfly
ARCHS    := amd64 arm64
HOST     := $(shell go env GOHOSTARCH)
# Shim, holder and engine are for nodes; a laptop of another kind has mayfly serve.
HERE     := $(if $(filter linux,$(shell go env GOHOSTOS)),$(BINARIES),mayfly)
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
MODULE   := github.com/mayfly-run/mayfly
LDFLAGS  := -s -w -X $(MODULE)/internal/version.Version=$(VERSION)

# Code that must build elsewhere than on the nodes it runs on.
PORTABLE := ./cmd/mayfly/... ./runtime/... ./wasihttp/... ./internal/...

help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## four static binaries in bin/, and for each architecture in bin/ARCH/
	@set -e; for arch in $(ARCHS); do for b in $(BINARIES); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -ldflags '$(LDFLAGS)' -o bin/$$arch/$$b ./cmd/$$b; \
	done; done
	@ln -f $(addprefix bin/$(HOST)/,$(BINARIES)) bin/

# The same for this machine only: what tests, demo and benchmarks run.
host:
	@set -e; mkdir -p bin/host; for b in $(HERE); do \
		CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/host/$$b ./cmd/$$b; \
	done
	@ln -f $(addprefix bin/host/,$(HERE)) bin/

test: lint guests unit integration ## everything: lint, unit tests, tests on real containerd

# They are built once and kept in the cache. Tests that want one that was not
# built are skipped; this is why none is when everything is tested.
guests: ## build the components that are too large to be committed: JavaScript, Python, Go
	@go run ./internal/guests/cmd/guests build

unit: ## tests that need no root, no network and no containerd
	go test $$(go list ./... | grep -Ev '/integration(/cluster)?$$')

# One after the other: both take all of a small machine.
integration: host guests ## tests on real containerd 2.4, 1.7 and 1.6, and on Kubernetes; need root
	@go run ./integration/cmd/lab deps
	go test -timeout 30m ./integration
	go test -timeout 30m ./integration/cluster

cluster: host ## Kubernetes on one node with mayfly; stays up
	@go run ./integration/cmd/cluster up

cluster-down: ## the end of it
	@go run ./integration/cmd/cluster down

kind: host ## a cluster of two nodes by kind, with mayfly installed in both; stays up
	@go run ./integration/cmd/kind up

kind-test: host kind ## the scenarios on Kubernetes, on that cluster
	MAYFLY_KUBECONFIG=$$(go run ./integration/cmd/kind kubeconfig) go test -count=1 -timeout 30m ./integration/cluster

kind-down: ## the end of it
	@go run ./integration/cmd/kind down

lint: ## gofmt, vet, staticcheck, and that it builds for other systems
	@test -z "$$(gofmt -l .)" || { echo 'gofmt would change:'; gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	GOOS=darwin GOARCH=arm64 go vet $(PORTABLE)
	GOOS=linux GOARCH=arm64 go vet ./...

demo: host ## a pod whose main container asks its sidecars, step by step
	@go run ./integration/demo

bench: host ## measure and write out/bench.json and out/bench.html
	go run ./integration/bench

bench-peers: ## measure beside wasmtime, jco and containers, and write out/bench-peers.json and .html
	@go run ./integration/benchpeers

# Nodes cannot pull them, but where they were pushed: REGISTRY=registry.example/team.
bench-images: ## the images of the benchmark on a cluster, in out/bench-images; REGISTRY=PREFIX pushes them
	@go run ./integration/cmd/benchimages $(if $(REGISTRY),-registry $(REGISTRY)) $(if $(ARCH),-arch $(ARCH))

bench-kind: kind bench-images ## measure cold starts in pods of that cluster, and write out/bench-kind.json and .html; BENCH=--quick
	@go run ./integration/cmd/kind load out/bench-images/*.tar
	bin/mayfly bench cluster --kubeconfig "$$(go run ./integration/cmd/kind kubeconfig)" --context kind-mayfly --name bench-kind $(BENCH)

conformance: host ## containerd's own client tests with mayfly and with runc
	go run ./integration/conformance

e2e: host ## Kubernetes' own tests of what a node must do, with mayfly and with runc; E2E=-resume
	go run ./integration/e2e $(E2E)

integration-cgroup2: host guests ## the scenarios in a virtual machine with cgroups of version 2; VM=--cluster for those on Kubernetes
	@go run ./integration/vm $(VM)

differential: host guests ## the same requests to mayfly and to other hosts of components, and what differs
	@go run ./integration/differential

wasi-testsuite: host ## the wasi-testsuite from a checkout: MAYFLY_WASI_TESTSUITE=DIR
	@test -n "$$MAYFLY_WASI_TESTSUITE" || { echo 'wasi-testsuite: set MAYFLY_WASI_TESTSUITE to a git repository of WebAssembly/wasi-testsuite' >&2; exit 1; }
	MAYFLY=$(CURDIR)/bin/mayfly go test -count=1 -v ./integration/wasisuite

component-scripts: ## test scripts of the component model from checkouts: MAYFLY_COMPONENT_SPEC=DIR[:DIR]
	@test -n "$$MAYFLY_COMPONENT_SPEC" || { echo 'component-scripts: set MAYFLY_COMPONENT_SPEC to directories with scripts: test of WebAssembly/component-model, tests/misc_testsuite/component-model of wasmtime' >&2; exit 1; }
	@command -v "$${WASM_TOOLS:-wasm-tools}" >/dev/null || { echo 'component-scripts: wasm-tools converts the scripts: cargo install wasm-tools, or set WASM_TOOLS' >&2; exit 1; }
	go test -count=1 -v -run Scripts ./runtime/component ./runtime/component/validate | grep -E '^(---|    ---|ok|FAIL)|all scripts:'

testdata: ## rebuild the test guests and the examples' modules from source
	$(MAKE) -C internal/guests
	go run ./internal/guests/cmd/guests testdata
	$(MAKE) -C runtime/instance/testdata
	$(MAKE) -C runtime/instance/testdata/compute
	$(MAKE) -C runtime/weave/testdata
	$(MAKE) -C examples/time/c module
	@test -x /usr/bin/cargo && ls -d /usr/lib/rustlib/wasm32-wasi >/dev/null 2>&1 || \
		{ echo 'testdata: examples/time/rust is built with Debian 12: apt-get install cargo libstd-rust-dev-wasm32 lld' >&2; exit 1; }
	$(MAKE) -C examples/time/rust debian
	@command -v wasm-tools >/dev/null || { echo 'testdata: the components that tests have as text are left as they are: cargo install wasm-tools' >&2; exit 0; }; \
		$(MAKE) -C runtime/component/testdata -B && $(MAKE) -C runtime/component/binary/testdata -B && $(MAKE) -C wasihttp/testdata -B && $(MAKE) -C cmd/mayfly/testdata/components -B

clean: ## remove what was built here; the cache directory stays
	rm -rf bin out

.PHONY: help build host test guests unit integration cluster cluster-down kind kind-test kind-down lint demo bench bench-peers bench-images bench-kind conformance e2e integration-cgroup2 differential wasi-testsuite component-scripts testdata clean
.DEFAULT_GOAL := help
