# The commands of Palisade; "make help" lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON3 ?= python3
PYTHON := .venv/bin/python
DEPLOYMENT ?= reference
STAGE ?=
BASE ?=
BEFORE ?=
AFTER ?=
MARKDOWN ?=
JSON ?=
CDK_OUTDIR ?= cdk.out
SYNTH = CDK_OUTDIR=$(CDK_OUTDIR) $(PYTHON) app.py -c deployment=$(DEPLOYMENT)
unexport VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo '  Variables: DEPLOYMENT=reference (config/<name>.py), STAGE=sandbox (or an account role), CLI=1 (rehearse with the CDK CLI)'

.PHONY: setup
setup: ## set up environments and tools, pinned by hash (the commands below do it by themselves)
	@$(PYTHON3) ops/setup.py

.PHONY: rehearse
rehearse: setup ## deploy the whole organization onto an embedded AWS: create, verify, update, delete
	@$(PYTHON) -m ops.rehearse --deployment $(DEPLOYMENT) $(if $(CLI),--cli)

.PHONY: test
test: setup ## set up, run the whole gate, then one rehearsal
	@$(MAKE) check
	@$(MAKE) rehearse

.PHONY: check
check: layers ## the whole gate: synth, policy packs, invariants, linters, types, tests
	@$(PYTHON) -m ops.check --deployment $(DEPLOYMENT)

.PHONY: layers
layers: ## fetch the libraries that functions carry along, pinned by hash (set-up does it too)
	@$(PYTHON3) ops/setup.py layers

.PHONY: synth
synth: layers ## write the templates of every account and region to cdk.out, with every check on
	@$(SYNTH) $(if $(STAGE),-c stage=$(STAGE))
	@echo "synth: the templates are in $(CDK_OUTDIR); nothing found"

.PHONY: deploy
deploy: setup ## deploy one stage or account role with the CDK CLI: make deploy STAGE=sandbox
	@$(PYTHON) -m ops.deploy --deployment $(DEPLOYMENT) $(if $(REVIEWER),--reviewer '$(REVIEWER)') $(if $(UNRECORDED),--unrecorded '$(UNRECORDED)') $(if $(EXCEPT),--except '$(EXCEPT)') $(STAGE)

.PHONY: bootstrap
bootstrap: setup ## prepare the account of a stage or role for deployment: make bootstrap STAGE=sandbox
	@$(PYTHON) -m ops.bootstrap --deployment $(DEPLOYMENT) $(STAGE)

.PHONY: quick
quick: layers ## lint, types and tests, without the slow gates
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy . && $(PYTHON) -m pytest -x

.PHONY: snapshots
snapshots: layers ## write the snapshots anew after a change you meant
	@$(PYTHON) -m pytest tests/stacks/test_snapshots.py --snapshot-update

.PHONY: lock
lock: ## pin every dependency anew by hash
	@for name in dev rehearsal uv; do .venv/bin/uv pip compile -q --no-header --generate-hashes --universal -p 3.11 requirements/$$name.in -o requirements/$$name.txt; done
	@.venv/bin/uv pip compile -q --no-header --generate-hashes --universal -p 3.11 requirements/runtime.in -o requirements.txt
	@.venv/bin/uv pip compile -q --no-header --generate-hashes --python-platform aarch64-manylinux_2_28 -p 3.14 requirements/layer-token.in -o requirements/layer-token.txt
	@.venv/bin/uv pip compile -q --no-header --generate-hashes --python-platform aarch64-manylinux_2_28 -p 3.14 requirements/layer-database.in -o requirements/layer-database.txt
	@.venv/bin/uv pip compile -q --no-header --generate-hashes --python-platform aarch64-manylinux_2_28 -p 3.14 requirements/layer-vault.in -o requirements/layer-vault.txt

.PHONY: addresses
addresses: setup ## print the address plan; with STAGE=sandbox also the addresses it calls out from, and write them down
	@$(PYTHON) -m ops.addresses --deployment $(DEPLOYMENT) $(STAGE)

.PHONY: cost
cost: layers ## print the fixed monthly price of each stage and account
	@$(SYNTH) && $(PYTHON) -m ops.cost

.PHONY: bench
bench: setup ## measure what users wait for, as ratios to a floor measured in the same run
	@$(PYTHON) -m ops.bench

.PHONY: picture
picture: layers ## draw docs/architecture.svg from the templates
	@$(SYNTH) && $(PYTHON) -m ops.picture

.PHONY: coverage
coverage: layers ## hold the templates against FSBP and CIS, control by control: docs/coverage.md
	@$(SYNTH) && $(PYTHON) -m ops.coverage

.PHONY: identities
identities: ## write docs/identities.md from cdk.out (make synth writes it)
	@$(PYTHON) -m ops.identities --deployment $(DEPLOYMENT)

.PHONY: guardrails
guardrails: layers ## write docs/guardrails.md from the templates
	@$(SYNTH) && $(PYTHON) -m ops.guardrails

.PHONY: prove
prove: ## decide every promise from cdk.out and show why (make synth writes it)
	@$(PYTHON) -m proofs prove --deployment $(DEPLOYMENT)

.PHONY: prove-bites
prove-bites: ## weaken cdk.out and show that each promise's proofs notice
	@$(PYTHON) -m proofs bite --deployment $(DEPLOYMENT)
	@$(PYTHON) -m proofs bite --deployment $(DEPLOYMENT) --random 500

.PHONY: report
report: setup ## write the trust report into report/: a page to mail, Markdown, JSON and OSCAL
	@$(SYNTH)
	@rm -f build/proofs.json
	@$(PYTHON) -m proofs prove --json build/proofs.json > build/prove.log 2>&1 || [ -f build/proofs.json ] || \
		{ cat build/prove.log; exit 1; }
	@at="$(AT)"; at="$${at:-$$(git log -1 --format=%cI 2>/dev/null || true)}"; $(PYTHON) -m ops.report $${at:+--at "$$at"}

.PHONY: diff
diff: layers ## compare this tree with a git ref as promises: make diff BASE=main (or BEFORE=folder AFTER=folder)
	@$(PYTHON) -m ops.diff $(if $(BASE),--base '$(BASE)' --deployment $(DEPLOYMENT)) \
		$(if $(BEFORE),--before '$(BEFORE)') $(if $(AFTER),--after '$(AFTER)') \
		$(if $(MARKDOWN),--markdown '$(MARKDOWN)') $(if $(JSON),--json '$(JSON)')

.PHONY: destroy
destroy: setup ## delete one stage or account role, after showing what goes and what stays
	@$(PYTHON) -m ops.destroy --deployment $(DEPLOYMENT) $(STAGE)

.PHONY: gate
gate: layers ## judge cdk.out: invariants, acknowledgements, waivers, linters (make synth writes it)
	@$(PYTHON) -m gate

.PHONY: bite
bite: layers ## weaken cdk.out in every way the gate knows and show what is caught
	@$(PYTHON) -m gate weaken --all

.PHONY: ledger
ledger: layers ## write the ledger of stateful resources anew after a change you meant
	@$(PYTHON) -m gate ledger
