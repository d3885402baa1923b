# `make` alone lists what there is. The commands of the README are here; each prepares what it needs.
# Nothing but the command's own output reaches standard output: `make demo ARGS=--exit | tail -1` is JSON.
MAKEFLAGS += --no-print-directory
.SUFFIXES:
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON := .venv/bin/python
PATHS := manage.py portal registries promotions tests

# What has to load the settings without a portal of one's own: keys that protect nothing, a database in memory.
THROWAWAY := env PORTAL_SECRET_KEY=for-checks-alone PORTAL_ENCRYPTION_KEYS=a25vd24tdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI= \
  DATABASE_URL=sqlite:///:memory:

# Debian packages, in the words of deploy/bootstrap.
CLIENTS := docker-registry skopeo "docker-cli|docker.io:docker"
TEST_PARTS := $(CLIENTS) podman buildah docker.io:dockerd postgresql:initdb chromium

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## play the main job on nine real registries; ARGS=--exit stops at the end
	@deploy/bootstrap --system $(CLIENTS)
	@exec $(PYTHON) -m portal.demo $(ARGS)

.PHONY: setup serve
setup: ## first administrator, keys, database
	@deploy/bootstrap
	@exec $(PYTHON) manage.py setup $(ARGS)

serve: ## run the portal with its embedded parts
	@deploy/bootstrap
	@exec $(PYTHON) manage.py serve $(ARGS)

.PHONY: test test-long
test: ready-to-test ## the gate: on SQLite, then what needs it on PostgreSQL
	@$(PYTHON) -m pytest -n 2 -m "not postgres and not long" $(ARGS)
	@$(PYTHON) -m tests.real.postgres $(PYTHON) -m pytest -n 2 -m "(postgres or database_both) and not long" $(ARGS) \
	  || $(if $(ARGS),[ $$? = 5 ],false)  # 5: what ARGS chose has none for PostgreSQL

test-long: ready-to-test ## random histories, big layers, chaos
	@$(PYTHON) -m pytest -m long --timeout 3600 --hypothesis-profile long $(ARGS)

.PHONY: bench-token
bench-token: ready-to-test ## the token endpoint beside an empty view, on PostgreSQL; the last line is JSON
	@exec $(PYTHON) -m tests.bench.token

.PHONY: ready-to-test ready-to-check
ready-to-test:
	@deploy/bootstrap --dev --system $(TEST_PARTS)

ready-to-check:
	@deploy/bootstrap --dev

.PHONY: check lint types contracts migrations format lock clean
check: lint types contracts migrations test ## all checks, then the tests

lint: ready-to-check ## ruff, format and rules
	@$(PYTHON) -m ruff format --check --quiet $(PATHS) || { echo "make format puts these right" >&2; exit 1; }
	@$(PYTHON) -m ruff check $(PATHS)

types: ready-to-check ## mypy --strict
	@$(THROWAWAY) $(PYTHON) -m mypy

contracts: ready-to-check ## imports go down only
	@$(PYTHON) -c "from importlinter.cli import lint_imports_command as run; run()" --no-logo

migrations: ready-to-check ## no model change without its migration
	@$(THROWAWAY) $(PYTHON) manage.py makemigrations --check --dry-run

format: ready-to-check ## put the format and what can be put right by itself
	@$(PYTHON) -m ruff check --fix --quiet $(PATHS) || true
	@$(PYTHON) -m ruff format $(PATHS)

LOCK := -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: ready-to-check ## work out both lock files again; ARGS=--upgrade for newer versions
	@$(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet uv
	@$(PYTHON) $(LOCK) $(ARGS) pyproject.toml --output-file deploy/requirements.lock
	@$(PYTHON) $(LOCK) $(ARGS) pyproject.toml --group dev --constraint deploy/requirements.lock \
	  --output-file deploy/requirements-dev.lock

clean: ## remove what the commands above made, except data under var/
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find $(wildcard portal registries promotions tests) -name __pycache__ -type d -prune -exec rm -rf {} +
