# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Choose the environment with VARIANT=cpu (the default) or VARIANT=gpu.
VARIANT ?= cpu
PYTHON  ?= python3
VENV    := .venv-$(VARIANT)
DEV     := .venv-dev
NAME    ?= preprocess
SNAKEMAKE := $(VENV)/bin/snakemake --workflow-profile profiles/demo
# Two jobs side by side suit two cores; one GPU takes one.
LIMIT   := $(if $(filter gpu,$(VARIANT)),--resources gpu=1)

.PHONY: help demo test lint format types benchmark lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/installed  ## set up, run the whole study on the embedded set, write results/demo/report.html
	$(SNAKEMAKE) $(LIMIT)
	@[ results/demo/report.html -nt results/demo/summary.html ] \
	  || $(SNAKEMAKE) --report results/demo/report.html
	@echo "The study is told in results/demo/summary.html, and how it was made in report.html beside it."

test: $(DEV)/installed  ## set up, then run lint, types and all tests
	$(DEV)/bin/pytest -n 2 tests/unit tests/repository
	$(DEV)/bin/pytest tests/workflow tests/cluster

lint: $(DEV)/installed  ## look for faults in code and rules, and for lines out of format
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/snakefmt --check Snakefile rules
	$(DEV)/bin/snakemake --lint

types: $(DEV)/installed  ## check types
	$(DEV)/bin/mypy

format: $(DEV)/installed  ## format code and rules
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .
	$(DEV)/bin/snakefmt Snakefile rules

# What ours is compared with has an environment of its own; with that of saliency ours runs too.
BESIDE  := $(if $(filter preprocess,$(NAME)),.venv-benchmark)$(if $(filter saliency,$(NAME)),.venv-saliency)
MEASURE := $(if $(filter saliency,$(NAME)),.venv-saliency,$(DEV))
benchmark: $(DEV)/installed $(addsuffix /installed,$(BESIDE))  ## measure side by side: make benchmark NAME=preprocess
	$(MEASURE)/bin/python benchmarks/$(NAME).py

lock: $(DEV)/installed  ## resolve envs/*.in to the pinned, hashed envs/*.lock
	$(DEV)/bin/pip install --quiet uv==0.13.9
	for name in cpu gpu dev benchmark saliency; do \
	  $(DEV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header envs/$$name.in -o envs/$$name.lock; \
	done

clean:  ## remove what was made and fetched; environments and resources/kaggle stay
	find results -mindepth 1 -not -name README.md -delete
	[ ! -d resources ] || find resources -mindepth 1 -maxdepth 1 -not -name kaggle -exec rm -r {} +
	rm -rf .snakemake

.venv-%/installed: envs/%.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "expected Python 3.11 or newer, received $$($(PYTHON) --version); hint: make PYTHON=python3.12 …"; exit 1; }
	@# Debian's python3 cannot make environments without a package of its own.
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } \
	  || { echo "this Python cannot make environments; hint: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
