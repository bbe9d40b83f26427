# Two commands do all the set-up: `make demo` and `make test`. They need Python 3.11 or newer, git and make, and nothing else.

ifndef PYTHON
PYTHON := $(shell for candidate in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	"$$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$candidate" && break; done)
endif

# Python compiles each module once, not in each of the many processes of the tests, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
SOURCES := app.py frankpledge matching repository benchmarks demo tests
HOST ?= 127.0.0.1
PORT ?= 8080
TESTS ?= tests
WORKERS ?= auto
RECORDS ?= 100000
POOL ?= $(if $(wildcard demo/run/pool/operator.secret),demo/run/pool,var)

# No address, host or path of the machine goes into a lock: plain pip installs it from whatever registry it is set up with.
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
RUNTIME_EXTRAS := --extra server --extra postgresql --extra otel --extra demo --extra custodian

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check style types layers docstrings locks format bench bench-peers lock upgrade clean

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/installed ## Make .venv from the hashed lock, and install the project into it

$(VENV)/locked: requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer (with venv) is needed, and none was found; say where: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Installing into $(VENV), which takes a minute or two."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock --no-compile
	@$(BIN)/python -m compileall -q -j 0 -x '/tests/' $(VENV)/lib || true # on all cores, which pip would not; some packages carry templates
	@touch $@

$(VENV)/installed: $(VENV)/locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Watch three insurers share a fraud register (SQLite, a minute or two)
	$(BIN)/python -m demo.run

serve: setup ## Serve what the demo left (or an empty pool) on http://127.0.0.1:8080
	@test -e $(POOL)/operator.secret || $(BIN)/frankpledge-admin --data-dir $(POOL) init
	$(BIN)/frankpledge-admin --data-dir $(POOL) serve --host $(HOST) --port $(PORT)

test: setup ## Run every test with coverage (TESTS=tests/unit for one tier)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(if $(filter tests,$(TESTS)),--cov-fail-under=90) $(TESTS)

check: style types layers docstrings locks ## Check style, types, import directions, docstrings and the locks

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

docstrings: setup
	$(BIN)/interrogate --quiet $(SOURCES)

locks: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --dry-run --no-index --no-build-isolation --editable ".[server,postgresql,otel,demo,dev]" \
		|| { echo "The locks lack something that pyproject.toml asks for: run make lock" >&2; exit 1; }

format: setup ## Put the source into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure linkage, encoding, and a screening against 100,000 subjects (JSON out; some minutes)
	$(BIN)/frankpledge evaluate --left demo/data/febrl4_a.csv --right demo/data/febrl4_b.csv --truth cluster --drop national_id --json
	$(BIN)/python -m benchmarks.encode
	$(BIN)/python -m benchmarks.sketches
	$(BIN)/python -m benchmarks.latency --records 100000 --json

$(PEERS)/installed: requirements-peers.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer (with venv) is needed, and none was found" >&2; exit 1; }
	@echo "Installing the peers into $(PEERS)."
	@"$(PYTHON)" -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.lock
	@touch $@

bench-peers: setup $(PEERS)/installed ## Compare with clkhash, anonlink, Splink and rapidfuzz (JSON out; ten minutes; RECORDS=100000)
	$(BIN)/python -m benchmarks.encode --records 20000 --json
	$(BIN)/python -m benchmarks.crossref --records $(RECORDS) --json

lock: setup ## Renew the locks after a change of pyproject.toml (keeps pins that still fit)
	$(COMPILE) $(RUNTIME_EXTRAS) $(UPGRADE) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(RUNTIME_EXTRAS) --extra dev $(UPGRADE) --constraint requirements.lock pyproject.toml requirements-tools.in --output-file requirements-dev.lock
	$(COMPILE) $(UPGRADE) --group peers --output-file requirements-peers.lock

upgrade: ## Renew the locks with the newest versions allowed
	$(MAKE) lock UPGRADE=--upgrade

clean: ## Remove everything that can be made again
	rm -rf $(VENV) $(PEERS) demo/run build dist *.egg-info .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
