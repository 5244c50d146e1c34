# Two commands do everything on a bare machine (Python 3.11 with pip, make): `make demo` and `make test`.
# Both set up .venv first and install again only when what is installed from has changed.

PYTHON ?= python3
BIN := .venv/bin
DEMO_OUT := reports/quickstart

.PHONY: demo test test-slow lint clean

demo: .venv/demo.stamp
	$(BIN)/icl run quickstart -o runs/quickstart
	$(BIN)/icl report runs/quickstart -o $(DEMO_OUT)
	@echo "open $(DEMO_OUT)/report.html"

test: .venv/dev.stamp lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m "not slow"

test-slow: .venv/dev.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m slow

lint: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv build *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[local,report]"
	touch $@

.venv/dev.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@ .venv/demo.stamp
