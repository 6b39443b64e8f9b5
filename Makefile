# One command each; CI runs the same. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

RUNTIME_PIP := build/audit/runtime/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help run install lint format test docs pictures sample audit clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

run: $(VENV)/.installed ## Install and start the app
	$(BIN)/guidedrec app

install: $(VENV)/.installed-test ## Make the environment of the other commands, with what tests need

lint: $(VENV)/.installed-test ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-test ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

test: $(VENV)/.installed-test ## Install and run all tests; needs no network once installed
	$(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile

# Filled in first (docs/sitegen), because tables come from stored results and the references from the code. Strict: a
# broken link or anchor ends it. The theme's notice about its own successor is known; see CONTRIBUTING.md.
docs: $(VENV)/.installed-docs ## Build the documentation site into site/; needs no network once installed
	PYTHONPATH=docs $(BIN)/python -m sitegen build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html, or with search: $(BIN)/python -m http.server -d site"

PICTURES_HOME ?= build/pictures-home
pictures: $(VENV)/.installed-test ## Take the documentation's pictures anew, from the bundled shop in a real browser
	$(BIN)/guidedrec build fernway --home $(PICTURES_HOME)
	PYTHONPATH=tests/helpers $(BIN)/python tests/e2e/screenshots.py $(PICTURES_HOME) docs/pictures --docs

sample: $(VENV)/.installed ## Build the bundled shop anew and put its runs into sample_data/, from where they ship
	$(BIN)/python -m guidedrec_core.stages.ship

# On what is deployed: the runtime's packages alone, in an environment of their own. The tools are pinned in
# deploy/audit.txt. Refused are licences that would bind this program, and packages without one; Psycopg's LGPL does not,
# because it is a library of its own that anybody can exchange. --strict: what cannot be looked up is no pass.
AUDIT := build/audit
audit: $(AUDIT)/.installed ## Look for known vulnerabilities and for licences, and write an SBOM; needs the network
	$(AUDIT)/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file $(AUDIT)/sbom.cdx.json $(AUDIT)/runtime/bin/python
	$(AUDIT)/tools/bin/pip-licenses --python $(AUDIT)/runtime/bin/python --order license --format markdown \
		--output-file $(AUDIT)/licences.md --ignore-packages psycopg psycopg-binary --partial-match \
		--fail-on "GPL;General Public License;Affero;SSPL;Server Side;BUSL;Business Source;Commons Clause;Proprietary;UNKNOWN"
	$(AUDIT)/tools/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt
	@echo "wrote $(AUDIT)/sbom.cdx.json and $(AUDIT)/licences.md"

clean: ## Remove the environment and caches; runs are kept
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis screenshots build site

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"expected Python 3.11 or later, got {v[0]}.{v[1]}; run make with PYTHON=python3.11, or whatever yours is called")'
	$(PYTHON) -m venv $(VENV)

# PyTorch first and alone: on Linux the default index would bring several GB of CUDA libraries the app does not need,
# so the CPU index is tried first. `make install TORCH_INDEX=` takes the default index, for a machine with a GPU.
ifeq ($(shell uname -s),Linux)
TORCH_INDEX ?= --index-url https://download.pytorch.org/whl/cpu
endif

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --retries 0 --timeout 15 $(TORCH_INDEX) torch || $(PIP) torch
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) -e ".[test,docs]"
	@touch $@

$(AUDIT)/.installed: $(VENV)/bin/python deploy/audit.txt constraints.txt pyproject.toml
	$(BIN)/python -m venv $(AUDIT)/tools
	$(AUDIT)/tools/bin/python -m pip install --quiet --disable-pip-version-check -r deploy/audit.txt
	$(BIN)/python -m venv $(AUDIT)/runtime
	$(RUNTIME_PIP) --retries 0 --timeout 15 $(TORCH_INDEX) torch || $(RUNTIME_PIP) torch
	$(RUNTIME_PIP) ".[postgres]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) -e ".[docs]"
	@touch $@
