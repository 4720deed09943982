# The front door. Every target sets up .venv first where that is needed; nothing is done twice.
# Needs make, bash and Python 3.11 to 3.14; name another Python with `make setup PYTHON=...`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHON PYTHONPATH := $(CURDIR)
bin := .venv/bin

.PHONY: help setup demo test check bench soak doctor lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make .venv as requirements.lock says; no work when nothing changed
	@scripts/install.sh

demo: setup  ## the whole floor on the bundled exchange, until Ctrl-C
	@$(bin)/pregao demo

test: setup  ## every test but the soak tests, in as many processes as there are cores, up to four
	@$(bin)/python -m pytest -q -m "not soak" -n logical --maxprocesses 4 --dist loadfile

check: setup  ## format, lint, types, import order, file lengths, lock
	@$(bin)/ruff format --check --quiet .
	@$(bin)/ruff check --quiet .
	@$(bin)/mypy
	@$(bin)/lint-imports --no-cache --no-logo
	@git ls-files '*.py' '*.ts' '*.tsx' '*.sh' | xargs awk \
	    'FNR == 401 { print FILENAME ": over 400 lines; one file, one idea: split it"; long = 1 } END { exit long }'
	@scripts/lock.sh --check
	@echo "check: all clean"

bench: setup  ## every benchmark, each beside its peer or limit
	@failed=; for file in benchmarks/[a-z]*.py; do \
	    name=$$(basename $$file .py); echo "== $$name"; \
	    $(bin)/python -m benchmarks.$$name || failed="$$failed $$name"; \
	done; [[ -z $$failed ]] || { echo "bench: failed:$$failed" >&2; exit 1; }

soak: setup  ## the tests that run for minutes
	@$(bin)/python -m pytest -q -m soak --timeout 0

doctor: setup  ## is this machine fit to run the floor, and what to do if not
	@$(bin)/pregao doctor

lock: setup  ## write requirements.lock anew from pyproject.toml
	@scripts/lock.sh

clean:  ## remove .venv, caches and built files; keeps var/, where journals and models are
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name node_modules -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
