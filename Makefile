# Two commands matter: `make demo` and `make test`. Each sets up what it needs, and each may be run again.
# `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
stamp = $(VENV)/.$(1)-$(shell cat requirements/$(1).lock pyproject.toml | sha256sum | cut -c1-16)
RUN_STAMP := $(call stamp,run)
TEST_STAMP := $(call stamp,test)
BENCH_STAMP := $(call stamp,bench)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# The lock files are whole, so nothing is resolved: pip 23 would look for a newer release of a package named with extras.
INSTALL := $(PIP) install --require-hashes --no-deps

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage check lint bench calibrate trust gallery docs lock clean
.SILENT:

help: ## this list
	grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

setup: $(RUN_STAMP) ## system packages, Python packages into .venv, nudge itself

$(RUN_STAMP): requirements/run.lock pyproject.toml scripts/system-packages
	echo "Setting up nudge: a few minutes the first time."
	./scripts/system-packages
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) -r requirements/run.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(TEST_STAMP): $(RUN_STAMP) requirements/test.lock
	echo "Setting up the tests."
	$(INSTALL) -r requirements/test.lock
	touch $@

$(BENCH_STAMP): $(RUN_STAMP) requirements/bench.lock
	echo "Setting up the benchmarks."
	$(INSTALL) -r requirements/bench.lock
	touch $@

demo: $(RUN_STAMP) ## the flagship trial on an invented council, in demo/
	$(BIN)/nudge demo demo
	echo
	echo "make demo: it worked. Open demo/out/wealden-arrears/report.html in a browser."

# One file's tests go to one process: what a file makes once for all of them is made once.
test: $(TEST_STAMP) lint ## style, types, floors and every test, on SQLite and a real PostgreSQL
	$(BIN)/python -m pytest -q --numprocesses 2 --dist loadfile
	echo "make test: it worked."

# Tracing every line nearly doubles the time that drawing letters takes, so it has a target of its own.
coverage: $(TEST_STAMP) ## which lines and branches of nudge/ the tests run: at least 94 in 100, in twice the time
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -q --numprocesses 2 --dist loadfile --cov --cov-report=
	echo "Lines and branches of nudge/ run by the tests: $$($(BIN)/coverage report --format=total) in 100."
	echo "make coverage: it worked."

check: test

lint: $(TEST_STAMP) ## style, types and floors only
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet . || { echo "Not formatted as ruff would: run $(BIN)/ruff format ." >&2; exit 1; }
	$(BIN)/mypy --no-error-summary
	told=$$($(BIN)/lint-imports 2>&1) || { echo "$$told" >&2; exit 1; }
	echo "Style, types and floors: good."

TENANTS ?= 10000
trust: $(TEST_STAMP) ## letters to 10,000 hostile tenants, at least 400 of each template: a quarter of an hour
	NUDGE_TRUST=$(TENANTS) $(BIN)/python -m pytest -q -p no:cacheprovider tests/documents/test_trust.py tests/trial/test_trust.py
	echo "make trust: it worked."

gallery: $(RUN_STAMP) ## draw every letter and sign again into docs/gallery/
	$(BIN)/python scripts/gallery.py

docs: $(TEST_STAMP) ## renew the tables of docs/experiment-file.md and docs/licences.md
	$(BIN)/python scripts/renew_docs.py

bench: $(BENCH_STAMP) ## nudge against its peers, as ratios, in one run
	$(BIN)/python benchmarks/time_to_event.py
	$(BIN)/python benchmarks/redraws.py
	$(BIN)/python benchmarks/means_and_shares.py
	$(BIN)/python benchmarks/drawing.py
	$(BIN)/python benchmarks/whole_report.py
	$(BIN)/python benchmarks/letters_per_second.py
	echo "make bench: it worked."

TRIALS ?= 10000
calibrate: $(TEST_STAMP) ## trials of two identical letters, every default: hours; goes on where it stopped; TRIALS=500 for a look
	$(BIN)/python -m benchmarks.calibration --trials $(TRIALS) --docs docs/statistics.md
	echo "make calibrate: it worked. The table is in docs/statistics.md."

lock: ## renew the three lock files (needs uv)
	uv pip compile pyproject.toml --extra postgres --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/run.lock
	uv pip compile pyproject.toml --extra postgres --group test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/run.lock -o requirements/test.lock
	uv pip compile pyproject.toml --extra postgres --group test --group bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/run.lock -o requirements/bench.lock

clean: ## what builds and tests left behind
	rm -rf demo dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
