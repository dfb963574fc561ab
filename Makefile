# kafka-lab. `make` alone lists what there is. Works with GNU make 3.81 and later.
.DEFAULT_GOAL := help

# ARGS goes to the program behind a target: make lab ARGS=--no-browser, make test ARGS='-k workspace'.
ARGS =
# PYTHON names the interpreter to build on: make lab PYTHON=/opt/python3.13/bin/python3
export PYTHON

LAB = sh tools/lab.sh
BIN = .venv/bin

.PHONY: help lab test docker-test kubernetes-test slow lint docs bench soak testbed testbed-down lock reset clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

lab: ## Open the lab in JupyterLab; the first time sets everything up
	@$(LAB) lab $(ARGS)

test: ## Run the tests: units, real clusters, every page (a few minutes)
	@$(LAB) test $(ARGS)

docker-test: ## Run what every backend promises on a Docker engine (Debian as root: it installs one)
	@$(LAB) docker-test $(ARGS)

kubernetes-test: ## Run it on Kubernetes, on the testbed, and keep the results in docs/evidence/
	@$(LAB) kubernetes-test $(ARGS)

slow: ## Run the slower tests: the lab in a browser, faults, orphans, locks
	@$(LAB) slow $(ARGS)

lint: ## Check style, types and spelling
	@$(LAB) ready dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tools/setup_lab.py
	$(BIN)/codespell

docs: ## Build the site from the executed pages; it goes to build/site
	@$(LAB) docs $(ARGS)

bench: ## Measure side by side with plain Kafka and plain Jupyter
	@$(LAB) bench $(ARGS)

soak: ## Run the faults for many rounds; results go to docs/evidence/
	@$(LAB) soak $(ARGS)

testbed: ## Build a Kubernetes cluster without pulling images (development and CI only; half an hour, then seconds)
	@sh testbed/testbed.sh up $(ARGS)

testbed-down: ## Delete that cluster; with ARGS=--purge also what was built for it
	@sh testbed/testbed.sh down $(ARGS)

lock: ## Resolve the pinned versions again (maintainers)
	@$(LAB) lock $(ARGS)

reset: ## Stop all clusters and put workspace and progress into a dated folder
	@$(LAB) reset $(ARGS)

clean: ## Remove what set-up made in this folder; your work and downloads stay
	@$(LAB) clean
