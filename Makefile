PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: setup lyrics test format

setup: $(VENV)/.done

$(VENV)/.done: pyproject.toml constraints-cpu.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-cpu.txt -e '.[fast,dev]'
	touch $@

# Two minutes of training on the songbook, then a song.
lyrics: setup
	$(BIN)/lyricgen train --minutes 2
	$(BIN)/lyricgen generate --start 星星

test: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict lyricgen
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --maxprocesses 4

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
