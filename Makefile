# Everything a newcomer needs: `make demo` shows what Stocktake does, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types fuzz mutants bench docs clean

demo: $(READY)
	$(BIN)/stocktake demo --out demo

# Types are checked beside the tests, which leave a core idle now and then. Files in their order: the longest, with few tests, come early.
test: $(READY) lint
	$(BIN)/mypy & types=$$!; \
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -rs --cov --cov-report=term-missing:skip-covered --cov-fail-under=100; \
	tests=$$?; wait $$types && exit $$tests

lint: $(READY)
	$(BIN)/ruff check src tests benchmarks mutants
	$(BIN)/ruff format --check src tests benchmarks mutants
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

fuzz: $(READY)
	STOCKTAKE_FUZZ=3000 $(BIN)/python -m pytest -n 2 -q tests/properties/test_fuzz_parsers.py

# So many mutants of each module; EACH=0 tries all of them, which takes days.
EACH := 8

mutants: $(READY)
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[mutants]"
	$(BIN)/python mutants/run.py --each $(EACH)

bench: $(READY)
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[bench,spark]"
	$(BIN)/python benchmarks/bench.py

docs: $(READY)
	$(BIN)/python docs/make.py

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@

clean:
	rm -rf $(VENV) demo build .coverage* .pytest_cache .mypy_cache .ruff_cache
