# Two commands matter: `make demo` and `make test`. Both prepare what they need in .venv.

# The newest Python that really runs (a version manager's shims may only pretend to).
NEED := import ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3.13 python3.12 python3.11 python3 python
PYTHON ?= $(shell for one in $(CANDIDATES); do $$one -c '$(NEED)' >/dev/null 2>&1 && { echo $$one; break; }; done)

VENV ?= .venv
BIN := $(VENV)/bin
# Given to the test run: make test TESTS="tests/test_step.py -x"
TESTS ?=
# How many test files run at once: most wait for processes and databases, not for a core.
WORKERS ?= 3
# What Python checks and what Node does take one core each; what each says stays together.
AT_ONCE := --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Bytecode comes with the first import: compiling all of it takes longer than downloading it.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	--constraint constraints.txt
INSTALL := $(PIP) --build-constraint constraints.txt --editable '.[all]'

# Node builds the pages. Where it is missing, all else goes on without them, but not in CI.
NODE ?= $(shell node -e '$(NEED_NODE)' 2>/dev/null && command -v npm)
NEED_NODE := const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)
PAGES = $(if $(NODE),web/dist/.ready,web/.without-node)
WEB_SOURCES = $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)

# Other systems that `make bench PEERS=1` and `make bench-server PEERS=1` measure, each in an
# environment of its own.
PEER_STAMPS := $(foreach peer,pgqueuer oban dbos procrastinate huey,benchmarks/.peers/$(peer).ready)
SERVER_PEER_STAMPS := $(foreach peer,prefect dagster,benchmarks/.peers/$(peer).ready)

# Hundreds of processes are started here: each would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: demo test check fix web docs screenshots bench bench-server test-kubernetes test-pythons help

demo: $(VENV)/.demo $(PAGES) ## run the example groups through the whole path (ONCE=1: then stop, exit code by outcome)
	$(BIN)/python examples/demo.py $(if $(ONCE),--once)

test: prepared ## check, then run every test
	@$(MAKE) $(AT_ONCE) check-python check-pages $(PAGES) $(VENV)/.compiled
	.ci/servers
	.ci/browser
	.ci/containers
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: prepared ## lint, format, types and the direction of imports; of the pages, their unit tests too
	@$(MAKE) $(AT_ONCE) check-python check-pages

# Parts of the two above.
.PHONY: prepared check-python check-pages
prepared: $(VENV)/.test $(if $(NODE),web/node_modules/.ready)

check-python: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

check-pages: $(if $(NODE),web/node_modules/.ready)
	$(if $(NODE),cd web && npm run --silent check)

fix: $(VENV)/.test ## format, and mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: $(PAGES) ## build the pages into web/dist (needs Node 20.19 or newer); a second time does nothing
	@[ -n "$(NODE)" ]

docs: $(VENV)/.test ## write the generated pages of docs/reference and openapi.json anew
	$(BIN)/python docs/generate.py

screenshots: $(VENV)/.test $(PAGES) ## take the pictures of docs/screenshots anew, in a real browser
	.ci/browser
	STEPWELL_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest --basetemp=/tmp/stepwell tests/journeys/browser/test_screenshots.py

bench: $(VENV)/.test $(if $(PEERS),$(PEER_STAMPS)) ## measure speed (WORKLOADS=W1,W4 ROUNDS=3 SIZE="steps=2000 minutes=1" PEERS=1)
	$(BIN)/python -m benchmarks $(if $(WORKLOADS),--workloads $(WORKLOADS)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(addprefix --size ,$(SIZE)) $(if $(PEERS),--peers)

bench-server: $(VENV)/.test $(if $(PEERS),$(SERVER_PEER_STAMPS)) ## measure how light and quick the server is (FIGURES=run,due ROUNDS=1 SIZE="run=5 due=10" PEERS=1)
	$(BIN)/python -m benchmarks.server $(if $(FIGURES),--figures $(FIGURES)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(addprefix --size ,$(SIZE)) $(if $(PEERS),--peers)

test-kubernetes: $(VENV)/.test ## test the Kubernetes launcher on the cluster that KUBECONFIG names, else on a played one
	STEPWELL_TEST_KUBECONFIG="$(KUBECONFIG)" $(BIN)/python -m pytest tests/kubernetes $(TESTS)

test-pythons: ## run the unit and contract tests on every Python from 3.11 that this machine has
	.ci/test-pythons

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- stamps: a second run installs nothing ---------------------------------------

$(VENV)/.pip: constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "No Python 3.11 or newer with venv and sqlite3 was found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml constraints.txt
	$(INSTALL) --group demo
	@touch $@

$(VENV)/.test: $(VENV)/.pip pyproject.toml constraints.txt
	$(INSTALL) --group test --group check
	@touch $@ $(VENV)/.demo

# The workers of a test run begin together: in a new checkout each would compile the tests and all
# that they import. What cannot be collected the test run tells.
$(VENV)/.compiled: $(VENV)/.test
	@$(BIN)/python -m pytest --collect-only --quiet >/dev/null 2>&1 || true
	@touch $@

web/node_modules/.ready: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/.ready: web/node_modules/.ready $(WEB_SOURCES)
	cd web && npm run --silent build && node scripts/pack.mjs
	@touch $@

# Never made, so it is said each time.
web/.without-node:
	@echo "Node 20.19 or newer with npm was not found: the pages are not built, and tests of them are skipped." >&2
	@[ "$$CI" != true ]

benchmarks/.peers/%.ready: benchmarks/peers/requirements-%.txt
	@mkdir -p benchmarks/.peers
	@$(PYTHON) -m venv --clear benchmarks/.peers/$* && benchmarks/.peers/$*/bin/python -m pip install \
		--quiet --disable-pip-version-check --requirement $< \
		|| { echo "$* cannot be installed with $(PYTHON): it is left out"; rm -rf benchmarks/.peers/$*; }
	@touch $@
