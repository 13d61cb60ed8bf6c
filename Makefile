# Crashlab. `make demo` and `make test` need nothing but Python 3.11 or newer.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
NAME ?=
ARGS ?=

# Without byte code every import takes three to four times as long.
unexport PYTHONDONTWRITEBYTECODE
# Environments and trained histories of tests are kept between runs.
export CRASHLAB_TEST_HOME ?= $(CURDIR)/.crashlab/tests

.DEFAULT_GOAL := help
.PHONY: help setup demo recording up down start submit check test test-fast test-live test-docker test-browser \
  test-thorough verify bench bench-grader lock

help: ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Put everything, the crashlab command included, into .venv

$(STAMP): requirements/crashlab.txt requirements/reader.txt requirements/bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Crashlab needs Python 3.11 or newer; set PYTHON=/path/to/python3."; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/crashlab.txt
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --compile-bytecode --no-deps --require-hashes -r requirements/reader.txt
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## A whole incident without Docker, with the reference answer graded at the end
	@$(BIN)/crashlab demo $(ARGS)

recording: setup ## The pictures of the README: a demo whose output is kept
	$(BIN)/crashlab demo --svg docs/images

up: setup ## A healthy system with Docker Compose, in the background
	docker compose --env-file serving/deploy.env up --detach --build --wait
	@echo "The API: http://$$(docker compose port serving 8000)/docs. MLflow: http://$$(docker compose port mlflow 5000)."

down: ## Stop that system and delete its data
	docker compose down --volumes --remove-orphans

start: setup ## Start an incident: make start NAME=featurelib-pin ARGS="--runtime embedded"
	$(BIN)/crashlab start $(NAME) $(ARGS)

submit: setup ## Hand in the post-mortem of the current incident
	$(BIN)/crashlab submit $(ARGS)

check: setup ## Lint, types and import walls
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: test-fast test-live test-docker ## Fast, live and docker tests

test-fast: setup ## Pure functions, a fake stack, MLflow on a file; no server
	$(BIN)/pytest tests/fast tests/docs -m "not thorough" --numprocesses 2 $(ARGS)

test-live: setup ## One embedded stack: the contract, every command, an incident from alert to verdict, kills
	$(BIN)/pytest tests/live $(ARGS)

test-docker: setup ## The same on Docker Compose; skipped where no engine answers
	$(BIN)/pytest tests/docker $(ARGS)

test-browser: setup ## What pages look like and ask for, in Chromium; by hand
	$(BIN)/pytest tests/browser $(ARGS)

test-thorough: setup ## What takes long: the labelled corpus, people's own tables, starts that are killed; by hand
	$(BIN)/pytest tests/thorough tests/fast -m thorough $(ARGS)

verify: setup ## Prove scenarios: make verify NAME=wrong-alias, or all of them
	$(BIN)/crashlab verify $(if $(NAME),$(NAME),--all) $(ARGS)

bench: setup ## Ratios of start-up, grading time and memory, in one run
	$(BIN)/crashlab bench $(ARGS)

bench-grader: setup ## How good the grader is, measured on the held-out part of the labelled corpus
	@$(BIN)/python -m crashlab.bench_grader $(ARGS)

lock: setup ## Compile every requirements file again
	@for f in requirements/crashlab requirements/bootstrap featurelib/build-requirements $(patsubst %.in,%,$(wildcard training/requirements.in training/*/requirements.in serving/requirements.in serving/*/requirements.in)); do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet $$f.in -o $$f.txt; done
	@$(BIN)/uv pip compile --no-deps --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet requirements/reader.in -o requirements/reader.txt
