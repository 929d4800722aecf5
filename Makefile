# Everything that a newcomer needs. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
# Thousands of small databases are made durable in the tests: in memory where there is room, since
# waiting for the disk would take most of the time.
SCRATCH := $(shell [ "$$(df --output=avail -m /dev/shm 2>/dev/null | tail -1)" -gt 4000 ] && echo /dev/shm || echo /tmp)
PYTEST_ALONE := TMPDIR=$(SCRATCH) $(BIN)/pytest --timeout 600
# One worker more than cores, since tests wait a quarter of their time for processes that start.
# In their own order: servers that a module shares are started once, not at every change of database.
PYTEST := $(PYTEST_ALONE) -n 3 --dist loadgroup --randomly-dont-reorganize
# Numeric libraries take one thread per process: two cores are shared by the test workers.
export OMP_NUM_THREADS ?= 1

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: ## Make .venv with everything that running needs
	@tools/setup.sh

.PHONY: setup-test
setup-test: ## The same and what the tests need: PostgreSQL, Chromium, the published clients, Azurite
	@tools/setup.sh test

.PHONY: demo
demo: setup ## Start a server and choose a diverse subset of real images
	@$(BIN)/python -m tools.demo.run_demo

.PHONY: demo-stop
demo-stop: ## Stop the server that the demo left running
	@$(BIN)/python -m tools.demo.run_demo --stop

.PHONY: check
check: setup ## Lint, types, layers
	$(BIN)/ruff format --check src tests tools benchmarks
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.check_web

.PHONY: test
test: setup-test check ## All checks and all tests
	$(PYTEST) -m "not long" || $(MAKE) --no-print-directory test-failed

.PHONY: test-failed
test-failed: ## The tests that failed last, one at a time: tells a fault from a crowded machine
	$(PYTEST_ALONE) --last-failed --last-failed-no-failures none

.PHONY: setup-long
setup-long: setup-test ## Make .venv-long too: what long tests need besides, Ray, Dask and PyTorch
	@$(BIN)/python tools/install_long.py

.PHONY: test-long
test-long: setup-long ## Long property profiles, load and soak, clusters, training
	$(subst $(BIN)/,.venv-long/bin/,$(PYTEST)) -m long --timeout 3600

.PHONY: setup-bench
setup-bench: setup ## Install the peers that benchmarks compare with, too
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt

.PHONY: bench
bench: setup-bench ## All benchmarks, one after another
	$(BIN)/python -m benchmarks

.PHONY: web
web: setup ## Build the web app again
	$(BIN)/python tools/build_web.py --force

.PHONY: web-check
web-check: setup ## Types, format and unit tests of the web app
	$(BIN)/python -m tools.check_web

.PHONY: generate
generate: setup ## Generate the wire models and the types of the web app from openapi/
	$(BIN)/python -m tools.generate_wire_models
	$(BIN)/python -m tools.check_web --generate

.PHONY: lock
lock: setup ## Pin all dependencies again, with hashes
	$(BIN)/python tools/lock_requirements.py
	$(BIN)/python tools/install_published_clients.py --lock
	$(BIN)/python tools/install_azurite.py --lock
	$(BIN)/python tools/install_long.py --lock

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff format src tests tools benchmarks
	$(BIN)/ruff check --fix src tests tools benchmarks
