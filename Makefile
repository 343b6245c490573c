# Options go in ARGS: make demo ARGS=--open. The interpreter to build from: make test PYTHON=python3.12.
.PHONY: help demo test test-all lint format types bench lock docs spreads wheel-check ci-system clean
SETUP := python3 tools/setup.py

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: ## the main job on the packaged sample, with a report (ARGS=--open opens it)
	@python3 tools/setup.py demo $(ARGS)

test: ## the tests, in at most 8 minutes
	@python3 tools/setup.py test $(ARGS)

test-all: ## every test at full size, and again with the oldest allowed dependencies
	@python3 tools/setup.py test-all $(ARGS)

lint: ## style and formatting
	@$(SETUP) lint $(ARGS)

format: ## correct style and formatting
	@$(SETUP) format $(ARGS)

types: ## mypy
	@$(SETUP) types $(ARGS)

bench: ## the benchmark suite
	@$(SETUP) bench $(ARGS)

lock: ## write requirements/*.lock again (ARGS=--upgrade for newer versions)
	@$(SETUP) lock $(ARGS)

docs: ## write the parts of docs/ that come from the code
	@$(SETUP) docs $(ARGS)

spreads: ## calibrate the default financing spreads on real funds (ARGS="--data FOLDER")
	@$(SETUP) spreads $(ARGS)

wheel-check: ## build the wheel and use it, installed, as another user
	@$(SETUP) wheel-check $(ARGS)

ci-system: ## Debian packages that CI's tests use (as root)
	@{ command -v chromium && ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium postgresql </dev/null; }

clean: ## remove the environments and what tools leave behind
	rm -rf .venv .venv.* .venv-oldest .venv-oldest.* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
