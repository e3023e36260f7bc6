# Needs python3 (3.11 or newer, with venv), make and git; everything else is installed into .venv.

PYTHON ?= python3
BIN := .venv/bin
LOCKS := requirements.lock requirements.bootstrap.lock
# The stamp carries the digest of all that decides what is installed.
STAMP := .venv/installed-$(shell cat $(LOCKS) pyproject.toml 2>/dev/null | cksum | tr -d ' ')

.DEFAULT_GOAL := help
.PHONY: help demo install test check unit torture mutants docs dist chromium world lock clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(STAMP)  ## install, estimate the threshold of the demo world, print verdict and report
	@$(BIN)/fit estimate --domain art-styles --model demo

install: $(STAMP)  ## make .venv with the locked versions

# uv installs the lock four times as fast as pip; pip does it where uv cannot (a mirror set up for pip alone).
$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 is older than 3.11: make PYTHON=python3.12 ..."; exit 13; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the locked packages into .venv (about 6 GB; a minute or more)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.bootstrap.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f .venv/installed-* && touch $@

test: check unit  ## style, types, import contracts and all tests

check: $(STAMP)  ## style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: $(STAMP) chromium  ## all tests
	@$(BIN)/python -m pytest $(PYTEST)

torture: $(STAMP)  ## the long form of the tests of faults: up to 90 minutes on two cores; logs in build/torture
	@$(BIN)/python -m pytest -m torture $(PYTEST)

mutants: $(STAMP)  ## small faults put into the code that counts, scores and judges: does a test notice? goes on where it was stopped
	@$(BIN)/python -m tests.mutation

# The browser tests open the report; without a browser they fail and say so.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && { apt-get install -y -q chromium || { apt-get update -q && apt-get install -y -q chromium; }; } >/dev/null 2>&1; } \
	  || echo "chromium is not installed and cannot be installed from here: the tests in tests/browser will fail"

docs: $(STAMP)  ## the documentation as a site, in site/
	@$(BIN)/python -m mkdocs build --strict -q

dist: $(STAMP)  ## wheel, source archive and bill of materials (CycloneDX), in dist/
	@rm -rf dist
	@$(BIN)/python -m hatchling build -d dist
	@$(BIN)/python release/sbom.py > dist/sbom.cdx.json

world: $(STAMP)  ## make the demo worlds again (data/demo, data/demo-faces): minutes on a GPU, up to three hours on two cores
	@$(BIN)/python -m fit.world

lock: $(STAMP)  ## resolve the newest versions into the lock
	@$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make lock' --extra dev pyproject.toml -o requirements.lock
	@echo uv | $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command 'make lock' -c requirements.lock - -o requirements.bootstrap.lock

clean:  ## remove .venv and caches; runs are kept
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
