# Two commands matter: `make demo` and `make test`. Each sets up what it needs, and each may be run again.
# `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-$(shell sha256sum requirements/run.lock pyproject.toml 2>/dev/null | sha256sum | cut -c1-16)
TEST_STAMP := $(VENV)/.test-$(shell sha256sum requirements/test.lock pyproject.toml 2>/dev/null | sha256sum | cut -c1-16)
BENCH_STAMP := $(VENV)/.bench-$(shell sha256sum requirements/bench.lock pyproject.toml 2>/dev/null | sha256sum | cut -c1-16)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint bench calibrate lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

setup: $(RUN_STAMP) ## system packages, a virtual environment, nudge itself

$(RUN_STAMP): requirements/run.lock
	./scripts/system-packages
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(TEST_STAMP): $(RUN_STAMP) requirements/test.lock
	$(INSTALL) -r requirements/test.lock
	touch $@

$(BENCH_STAMP): $(RUN_STAMP) requirements/bench.lock
	$(INSTALL) -r requirements/bench.lock
	touch $@

demo: $(RUN_STAMP) ## the flagship trial on a simulated council, in demo/
	$(BIN)/nudge demo demo

test: $(TEST_STAMP) lint ## style, types, floors and every test, on SQLite and a real PostgreSQL
	$(BIN)/coverage erase
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --cov --cov-report=term:skip-covered

check: test

lint: $(TEST_STAMP) ## style, types and floors only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BENCH_STAMP) ## nudge against its peers, as ratios, in one run
	$(BIN)/python benchmarks/time_to_event.py
	$(BIN)/python benchmarks/letters_per_second.py

calibrate: $(TEST_STAMP) ## how often a household-blocked trial under no effect rejects
	$(BIN)/python benchmarks/household_null.py

lock: ## renew the three lock files (needs uv)
	uv pip compile pyproject.toml --extra postgres --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/run.lock
	uv pip compile pyproject.toml --extra postgres --group test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/run.lock -o requirements/test.lock
	uv pip compile pyproject.toml --extra postgres --group test --group bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/run.lock -o requirements/bench.lock

clean: ## what builds and tests left behind
	rm -rf demo dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
