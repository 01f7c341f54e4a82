# `make run` and `make test` are all that is needed. Each target sets up what it needs in .venv; nothing else has to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What `make test` runs: everything, or the files, folders and tests named here.
ONLY ?=
# SWEEP=whole: every case of the sweeps of tests/sweeps.py, of which a fixed portion is run otherwise.
SWEEP ?=

.PHONY: help run demo test check format screens lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

run: $(VENV)/runs ## start httpstep on http://127.0.0.1:8080
	@exec $(BIN)/python app.py

demo: $(VENV)/runs ## start it beside a small order API, with three steps ready
	@exec $(BIN)/python app.py --demo

# All of it in four processes at once, a file as a whole in one of them: most tests wait, for a browser, a server or a
# deadline. What is named runs in this one. Compiled first, because some environments forbid Python to keep what it
# compiled: every program that a test starts would compile all of it again, and pytest every test before it is run.
test: $(VENV)/tests ## run all tests, or with ONLY=tests/core/test_mapping.py just those; SWEEP=whole leaves nothing out
	@$(BIN)/python -m compileall -q httpstep migrations app.py
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest $(if $(SWEEP),--$(SWEEP)-sweeps )$(or $(ONLY),-n 4 --dist loadfile --no-loadscope-reorder)

check: $(VENV)/tests ## look at style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict httpstep app.py

format: $(VENV)/tests ## bring every file into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screens: $(VENV)/tests ## take the pictures in docs/screens again
	$(BIN)/python -m tests.browser.screens

lock: $(VENV)/tests ## write requirements.lock anew: every package that requirements.txt brings, with its hashes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --output-file requirements.lock requirements.txt

# A stamp file per list of packages: made again when the list changes.
$(VENV)/runs: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/tests: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/runs

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "httpstep needs Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

clean: ## remove .venv
	rm -rf $(VENV)
