# One command each for a person who has just cloned this; `make help` lists them.

PYTHON   ?= python3
PIP_ARGS ?=
HOST     ?= 127.0.0.1
PORT     ?= 7860

VENV := .venv
BIN  := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test check format clean

help: ## print this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16
	@echo
	@echo "  options: PYTHON=python3.12  PIP_ARGS='options for pip install'  HOST=$(HOST)  PORT=$(PORT)"

install: $(VENV)/.installed ## make .venv with everything in it; does nothing when nothing changed

demo: install ## serve the example shop on HOST and PORT
	$(BIN)/shopbot demo --host $(HOST) --port $(PORT)

test: install ## run all tests; the last lines name what could not run here and why
	$(BIN)/python -m pytest

check: install ## what CI runs: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

format: install ## lay out the code and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and caches; a shop's data under var/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

# pip 25.1 is the first that knows dependency groups; PIP_ARGS reach the project's packages only.
$(VENV)/.installed: pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "shopbot needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "on Debian or Ubuntu: sudo apt-get install python3 python3-venv"; \
	  echo "then: make install, or make install PYTHON=python3.12 where another one is the default"; \
	  exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: ensurepip is missing"; \
	  echo "on Debian or Ubuntu: sudo apt-get install python3-venv"; \
	  exit 1; } >&2
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install $(PIP_ARGS) --group dev --editable .
	@touch $@
