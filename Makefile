# What one does with Dinrail's source, from a fresh checkout: Go, make and git
# are enough. Tools run by `go run MODULE@VERSION`, so their versions are pinned
# here and go.mod holds what the program itself needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BUF := $(GO) run github.com/bufbuild/buf/cmd/buf@v1.75.0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
PLUGINS := $(notdir $(patsubst %/main.go,%,$(wildcard plugins/*/main.go)))
# Suites that cannot run here write one line each into this file: name, then why.
LEFT_OUT := $(CURDIR)/bin/left-out
FUZZTIME ?= 60s
SOAK ?= 1h

.PHONY: help
help: ## Tell the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build bin/dinrail, bin/dinrail-sandbox and bin/plugins/dinrail-plugin-*
	@mkdir -p bin/plugins
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/dinrail ./cmd/dinrail-sandbox
	@for p in $(PLUGINS); do \
		echo "$(GO) build -o bin/plugins/dinrail-plugin-$$p ./plugins/$$p"; \
		$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/plugins/dinrail-plugin-$$p ./plugins/$$p; \
	done

.PHONY: run
run: build ## Start the sandbox plant and the host, connect them, print how to ask for data; Ctrl-C stops all
	@exec configs/quickstart/run

# Nothing is taken from the cache: whole programs are built by the tests that
# run them, which the cache does not see.
.PHONY: test
test: ## Run every test; ends by naming each suite left out and why
	@mkdir -p bin; : > '$(LEFT_OUT)'; \
	status=0; DINRAIL_LEFT_OUT='$(LEFT_OUT)' $(GO) test -count=1 -timeout 20m ./... || status=$$?; \
	if [ -s '$(LEFT_OUT)' ]; then echo 'Left out here:'; sort -u '$(LEFT_OUT)' | sed 's/^/  /'; \
	else echo 'Left out here: nothing.'; fi; \
	exit $$status

.PHONY: race
race: ## Run every test with the race detector
	$(GO) test -race -timeout 25m ./...

.PHONY: bench
bench: ## Measure, each figure beside its baseline in the same run
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./host/e2e
	$(GO) test -p 1 -run '^$$' -bench . -benchtime 1s -timeout 30m $$($(GO) list ./... | grep -v /host/e2e)

.PHONY: soak
soak: ## Kill the host again and again for SOAK (1h) while events come in; none may be lost
	DINRAIL_SOAK='$(SOAK)' $(GO) test -v -count=1 -timeout 0 -run '^TestKilledHostLosesNoEvent$$' ./host/e2e

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (60s)
	@for package in $$($(GO) list ./...); do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$($(GO) list -f '{{range .TestGoFiles}}{{$$.Dir}}/{{.}} {{end}}{{range .XTestGoFiles}}{{$$.Dir}}/{{.}} {{end}}' $$package) /dev/null | sed 's/^func //'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: lint
lint: ## Check form and habits of Go and proto
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$unformatted" ]; then echo 'Not formatted; run make fmt:'; echo "$$unformatted"; exit 1; fi
	$(GOLANGCI_LINT) run ./...
	$(BUF) lint

.PHONY: fmt
fmt: ## Format Go and proto
	@git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -w
	$(BUF) format -w

.PHONY: generate
generate: ## Write the generated Go of the wire contract anew
	$(BUF) generate

.PHONY: verify
verify: ## Check that generated files, go.mod and the wire contract are as they should be
	$(GO) mod tidy -diff
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(BUF) generate -o "$$fresh"; \
	for file in $$(cd "$$fresh" && find . -type f); do \
		diff -u "$$file" "$$fresh/$$file" || { echo "$$file is not what the wire contract generates; run make generate"; exit 1; }; \
	done; \
	echo 'generated files: unchanged'
	@if git cat-file -e 'HEAD~1:buf.yaml' 2>/dev/null; then \
		$(BUF) breaking --against '.git#ref=HEAD~1' && echo 'wire contract: compatible with the commit before'; \
	else echo 'wire contract: no commit before to compare with'; fi
