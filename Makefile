# Every command of the project. `make help` lists them; docs/contributing.md says when to use which.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Flags from the caller's environment must not change what is built. The version is stamped below, not by -buildvcs,
# which fails in a clone that belongs to another user.
export GOFLAGS := -buildvcs=false -mod=readonly
export CGO_ENABLED := 1

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
TOOL := go tool -modfile=.ci/tools/go.mod

# The race detector does not look into packages that only compute on memory of their own or their caller's: bcrypt at the
# lowest cost that the product allows takes 50 ms without it and 640 ms with it. Whoever calls them is watched.
COMPUTING := golang.org/x/crypto/blowfish golang.org/x/crypto/argon2 golang.org/x/crypto/blake2b go.yaml.in/yaml/v3
RACE := -race $(COMPUTING:%=-gcflags=%=-race=false)

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/credenza
	go build -ldflags '-X main.version=$(VERSION)' -o bin/credenza ./cmd/credenza

.PHONY: build-sample
build-sample: # The API of docs/examples, which tests stand behind nginx
	go build -o bin/ccw-sample ./docs/examples/ccw

.PHONY: run
run: build ## Build and serve the demonstration on http://127.0.0.1:8080
	bin/credenza serve --demo

.PHONY: check
check: check-modules check-generated check-structure check-lint ## Format, vet, lint, generated files, modules, dependency rule

.PHONY: check-modules
check-modules: ## go.mod and go.sum are tidy
	go mod tidy -diff

.PHONY: check-generated
check-generated: ## Generated files are up to date
	.ci/generated

.PHONY: check-structure
check-structure: ## Who imports whom, who writes through which door, size budgets
	go test ./internal/structure

.PHONY: check-lint
check-lint: ## Format, vet and linters of .golangci.yml
	$(TOOL) golangci-lint run --allow-parallel-runners ./...

.PHONY: test
test: test-go test-browser ## Everything: Go with the race detector on both databases, browser, OAuth clients

.PHONY: test-go
test-go: install ## Go tests with the race detector, on SQLite and PostgreSQL
	$(TOOL) gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg -- $(RACE) -timeout 20m ./...

.PHONY: test-browser
test-browser: install build build-sample ## bin/credenza as a black box: browser and OAuth clients
	cd web/e2e && node_modules/.bin/playwright test

SCREENSHOTS := $(CURDIR)/bin/screenshots
.PHONY: screenshots
screenshots: install build ## Pictures of every page, to be looked at
	cd web/e2e && node screenshots.js $(SCREENSHOTS)

.PHONY: install
install: # What building and testing needs; on Debian as root it is installed
	.ci/install

.PHONY: bench
bench: build ## Speed and memory against the budgets of docs/performance.md, some minutes; BENCH="--lines P1 --json"
	go run ./cmd/bench $(BENCH)

.PHONY: bench-short
bench-short: ## The same and the flood drill in a minute or two: fails on what is twice its budget
	$(MAKE) bench BENCH="--lines P,F --short --fail far --apps 10000"

.PHONY: long
long: test ## Everything, the bench with a million apps and the flood drill, and each fuzz target for FUZZTIME (5m)
	$(MAKE) bench BENCH="--lines P,F --apps 1000000"
	.ci/fuzz

.PHONY: fmt
fmt: ## Format Go files and templates
	go tool templ fmt -log-level warn templates
	$(TOOL) golangci-lint fmt ./...

.PHONY: generate
generate: ## Write the generated files: templates, docs/configuration.md
	go tool templ fmt -log-level warn templates
	go tool templ generate -log-level warn -path templates
	go test ./internal/config -run TestDocumentation -update

.PHONY: fix
fix: generate fmt ## Repair what generate, fmt and the linters can repair by themselves
	$(TOOL) golangci-lint run --fix ./...

.PHONY: dead
dead: ## List functions that the binary never reaches
	$(TOOL) deadcode ./cmd/credenza

.PHONY: vuln
vuln: ## Known vulnerabilities in what the binary reaches (asks the Go vulnerability database)
	$(TOOL) govulncheck ./...

.PHONY: clean
clean: ## Remove what builds and tests made; ./data stays
	rm -rf bin web/e2e/test-results web/e2e/node_modules
