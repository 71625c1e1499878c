# SPDX-License-Identifier: Apache-2.0
# Verbs for people. Everything is installed into .venv, once; a change of pyproject.toml or constraints.txt installs anew.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test lint bench clean
MAKEFLAGS += --no-print-directory

PYTHON ?=
export PYTHON
BIN := .venv/bin
LIBRARIES := library:libEGL.so.1=libegl1 library:libGLESv2.so.2=libgles2 \
    library:libGL.so.1=libgl1 library:libgthread-2.0.so.0=libglib2.0-0
PEERS := command:mosquitto=mosquitto command:chromium=chromium command:flite=flite

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

setup: .venv/ready ## make .venv, install, fetch what the program and the demo need
	@scripts/system $(LIBRARIES)
	@$(BIN)/lifesign setup --group run --group demo

demo: setup ## watch a real WebRTC call with a genuine and a forged participant
	@$(BIN)/lifesign demo

run: setup ## run the service (CONFIG=file.yaml)
	@$(BIN)/lifesign run $(if $(CONFIG),--config $(CONFIG))

test: .venv/ready-dev ## run every test this machine can run (ARGS="-k whip")
	@scripts/system $(LIBRARIES) $(PEERS)
	@$(BIN)/lifesign setup --group run --group demo --group tests
	@$(BIN)/python -m pytest $(ARGS)

lint: .venv/ready-dev ## ruff, mypy, import rules, licence lines
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@scripts/spdx

bench: setup ## measure CPU, latency, memory and lag beside a plain aiortc loop (ARGS="--streams 4")
	@$(BIN)/lifesign bench $(ARGS)

clean: ## delete .venv, caches and builds; fetched assets stay in the user's cache
	rm -rf .venv .build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/ready: pyproject.toml constraints.txt
	@scripts/install fast,speech
	@touch $@

.venv/ready-dev: pyproject.toml constraints.txt
	@scripts/install dev,train,speech,console
	@touch $@ .venv/ready
