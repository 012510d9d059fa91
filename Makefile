# Qingting 庆厅. Every target is idempotent: a stamp named after the hash of its lock skips finished work.
SHELL := /bin/bash
PY := .venv/bin/python
PIP := python3 -m pip --disable-pip-version-check --python .venv/bin/python
HASH = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)
RUN_STAMP := .stamps/run-$(call HASH,locks/run.txt pyproject.toml)
TEST_STAMP := .stamps/test-$(call HASH,locks/test.txt pyproject.toml)
NPM_STAMP := .stamps/npm-$(call HASH,package-lock.json package.json qingting/web/package.json kiosk_ui/package.json tablet_app/package.json)
WEB_SOURCES := $(shell git ls-files -co --exclude-standard -- qingting/web kiosk_ui tablet_app 2>/dev/null)
WEB_STAMP := .stamps/web-$(shell cat $(WEB_SOURCES) package-lock.json 2>/dev/null | sha256sum | cut -c1-16)
# Every process of a run would compile all it imports again, half of its start, where writing bytecode is switched off.
export PYTHONDONTWRITEBYTECODE :=
ARGS ?=
ADD ?=
# A file stays in one process; tests/longest.py says which of them begin.
POOL := --dist loadfile --no-loadscope-reorder -q
BROWSER := $(PY) -m pytest tests/browser -n 3 $(POOL)
# One core each: none of them uses two.
CHECKS := check-python check-web
.DEFAULT_GOAL := help
.PHONY: help install demo test lint check-python check-web collected unit web-test browser pictures fuzz fuzz-api bench lock generate build clean system

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(RUN_STAMP) $(WEB_STAMP) ## Set up .venv/bin/qingting with its front ends
	@echo "Ready: .venv/bin/qingting --help"

demo: install ## Run the whole main job with simulated devices (ARGS="--halls 9")
	.venv/bin/qingting demo $(ARGS)

test: $(TEST_STAMP) system $(WEB_STAMP) ## Run every check and test, browser journeys included
	$(MAKE) --no-print-directory -j2 --output-sync=target $(CHECKS) web-test collected
	$(PY) -m pytest tests/integration tests/unit -n 4 $(POOL)
	$(BROWSER)

lint: $(CHECKS) ## Formatting, lint, types, import rules, generated files

check-python: $(TEST_STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	$(PY) -m qingting.contract.generate --check

check-web: $(NPM_STAMP)
	npm run --silent check

# Leaves the tests' bytecode behind: else each worker would compile all of them, at the same time. What cannot be
# collected is said by the run itself.
collected: $(TEST_STAMP)
	@$(PY) -m pytest tests/integration tests/unit --collect-only -qq >/dev/null || true

unit: $(TEST_STAMP) ## Unit tests alone
	$(PY) -m pytest tests/unit -n 2 $(POOL)

web-test: $(NPM_STAMP) ## Tests of the front ends
	npm run --silent test

browser: $(TEST_STAMP) system $(WEB_STAMP) ## Journeys in real Chromium; screenshots in test-results/
	$(BROWSER)

pictures: browser ## Renew docs/images from the journeys' screenshots (ADD="name" for a new one)
	$(PY) tests/pictures.py $(ADD)

fuzz: $(TEST_STAMP) ## A million random byte strings for every device codec (ARGS="100000 2": fewer, other seed)
	$(PY) tests/fuzz/fuzz_codecs.py $(ARGS)

fuzz-api: $(TEST_STAMP) ## Fuzz the open API by its own document (ARGS="200 1": examples, seed); a few are in the suite
	$(PY) tests/fuzz/fuzz_api.py $(ARGS)

bench: install ## Measure the hall server (ARGS="hall --json")
	.venv/bin/qingting bench $(or $(ARGS),hall)

system: ## Chromium, a CJK font and a speech program from Debian, needed by the tests
	@command -v chromium >/dev/null && command -v espeak-ng >/dev/null && fc-list 2>/dev/null | grep -qi 'cjk' && exit 0; \
	line="apt-get update && apt-get install -y --no-install-recommends chromium fonts-noto-cjk espeak-ng"; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig espeak-ng >/dev/null; \
	else echo "The tests need Chromium, a Chinese font and espeak-ng. Run as root: $$line"; exit 1; fi

generate: $(RUN_STAMP) ## Write JSON Schema and TypeScript from the contract
	$(PY) -m qingting.contract.generate
	$(PY) -m console.app.openapi
	.venv/bin/qingting profile table > docs/operators/models.md

lock: ## Renew the lock files from pyproject.toml and package.json
	.venv/bin/uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate pyproject.toml -o locks/run.txt
	.venv/bin/uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate --extra test --extra dev pyproject.toml -o locks/test.txt
	npm install --package-lock-only

build: $(WEB_STAMP) ## A wheel that carries the built front ends
	.venv/bin/uv build -q --wheel --out-dir dist

clean: ## Remove everything that was built or installed
	rm -rf .venv node_modules */node_modules .stamps dist hallserver/app/static/faces hallserver/app/static/kiosk hallserver/app/static/tablet qingting/web/dist

# Debian's python3 has no ensurepip without python3-venv: the machine's own pip then fills the environment.
.venv/bin/uv:
	@python3 -m venv .venv 2>/dev/null || python3 -m venv --clear --without-pip .venv
	@$(PIP) install -q uv || echo "uv is not to be had; pip will do"

$(RUN_STAMP): | .venv/bin/uv
	@mkdir -p .stamps
	@if [ -x .venv/bin/uv ]; then .venv/bin/uv pip install -q --no-deps --require-hashes -r locks/run.txt && .venv/bin/uv pip install -q hatchling editables && .venv/bin/uv pip install -q --no-deps --no-build-isolation -e .; \
	else $(PIP) install -q --no-deps --require-hashes -r locks/run.txt && $(PIP) install -q --no-deps -e .; fi
	@touch $@

$(TEST_STAMP): $(RUN_STAMP)
	@if [ -x .venv/bin/uv ]; then .venv/bin/uv pip install -q --no-deps --require-hashes -r locks/test.txt; \
	else $(PIP) install -q --no-deps --require-hashes -r locks/test.txt; fi
	@touch $@

$(NPM_STAMP):
	@mkdir -p .stamps
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB_STAMP): $(NPM_STAMP)
	npm run --silent build
	@touch $@
