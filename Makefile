# Two commands: `make run` and `make test`. Both set up what they need in .venv; nothing else has to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run demo test check screens clean

run: $(VENV)/runs
	@exec $(BIN)/python app.py

demo: $(VENV)/runs
	@exec $(BIN)/python app.py --demo

# In three processes at once, a file as a whole in one of them: most tests wait, for a browser, a server or a deadline.
test: $(VENV)/tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(VENV)/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict httpstep app.py

screens: $(VENV)/tests
	$(BIN)/python -m tests.browser.screens

# A stamp file per list of packages: made again when the list changes.
$(VENV)/runs: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/tests: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/runs

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "httpstep needs Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV)
