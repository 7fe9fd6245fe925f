# Everything a person types. `make` alone tells what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run exec worker migrate test quick lint format lock vendor translations clean forget

BIN := .venv/bin
# The first Python from 3.11 on, under whatever name it goes; each is tried, since a name may be there and not work.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3 python; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$name; break; }; done)
CHECKSUM = $(firstword $(shell cat $(1) | sha256sum))
# A stamp carries the checksum of what was installed: it is missing when the requirements changed, whatever the dates.
RUN_STAMP := .venv/run-$(call CHECKSUM,requirements.txt)
DEV_STAMP := .venv/dev-$(call CHECKSUM,requirements.txt requirements-dev.txt)
# The first installation takes a minute: it names each package as it comes.
PIP := set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --progress-bar off
NAMED := | sed -u -n -e 's/^Collecting \([^ ]*\).*/  \1/p' -e 's/^Installing collected packages.*/  unpacking …/p'
WORKS := $(BIN)/python -c 'import pip' 2>/dev/null
# An environment whose Python has gone (an upgrade, a moved folder) is made anew.
$(shell [ ! -d .venv ] || $(WORKS) || rm -f .venv/python .venv/run-* .venv/dev-*)
export ANXIANG_ENV ?= development

help: ## tell what there is
	@echo "Anxiang 安享: what you can make"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) $(if $(wildcard bench/__main__.py),,| grep -v '^  make bench') \
	  | column -t -s '|'

run: $(RUN_STAMP) ## install, and run the product with demonstration data on http://127.0.0.1:8000
	@exec $(BIN)/python -m marketplace.development.processes run

exec: $(RUN_STAMP) ## run a command on the product's database: make exec CMD="flask --app wsgi vip --help"
	@exec $(BIN)/python -m marketplace.development.processes exec $(CMD)

worker: $(RUN_STAMP) ## run one more worker on the product's database
	@exec $(BIN)/python -m marketplace.development.processes exec python -m booking.worker

migrate: $(RUN_STAMP) ## bring the product's database to the schema of this code
	@exec $(BIN)/python -m marketplace.development.processes exec python -m marketplace.core.migrate

# The types are checked beside the tests, which leave the processors idle a part of the time.
test: style translations fhir-server ## check style, layers and types, and run the whole suite
	@$(MAKE) --no-print-directory types & types=$$!; $(BIN)/python -m pytest -n 4 --dist worksteal $(PYTEST); tests=$$?; \
	  wait $$types || { echo "The types are wrong: see make types."; exit 1; }; exit $$tests

# The server that the FHIR adapter is tested against, with its own lock file (tests/fhir_servers.py).
.PHONY: fhir-server
fhir-server: $(DEV_STAMP)
	@$(BIN)/python -m tests.fhir_servers

quick: $(DEV_STAMP) translations ## check what changed, then a chosen part of the suite, in a minute or so
	@changed=$$(git diff --name-only --diff-filter=d HEAD -- '*.py'; git ls-files --others --exclude-standard -- '*.py'); \
	  [ -z "$$changed" ] || { $(BIN)/ruff check $$changed && $(BIN)/ruff format --check --quiet $$changed; }
	$(BIN)/python -m pytest -n 2 -p no:schemathesis -m quick $$(grep -rl --include='test_*.py' 'pytest\.mark\.quick' tests)

lint: style types ## check style, the direction of imports, and types

.PHONY: style types
style: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	@said=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }; tail -n 1 <<<"$$said"

types: $(DEV_STAMP)
	$(BIN)/mypy --strict

format: $(DEV_STAMP) ## put the code into the house's form
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

ifneq ($(wildcard bench/__main__.py),)
.PHONY: bench
bench: $(DEV_STAMP) translations ## measure against bare SQL, and print the ratios
	$(BIN)/python -m bench
endif

.PHONY: drill
drill: $(DEV_STAMP) translations ## kill everything at random while customers book, then compare all books: SEED=1 MINUTES=5
	@$(BIN)/python -m drill $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(DRILL)

.PHONY: consultations
consultations: $(DEV_STAMP) translations ## open 200 consultations at once, kill a worker, and count every pledge again: SEED=1
	@$(BIN)/python -m drill.consultations $(if $(SEED),--seed $(SEED)) $(DRILL)

.PHONY: dispatch
dispatch: $(DEV_STAMP) translations ## give out 1,000 requests for escorts in one run, and count every answer again: SEED=1
	@$(BIN)/python -m drill.dispatch $(if $(SEED),--seed $(SEED)) $(DRILL)

.PHONY: mutate
mutate: $(DEV_STAMP) translations ## make small mistakes in the heart of booking, and see which no test notices: SEED=1 MINUTES=50
	@$(BIN)/python -m mutate $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(MUTATE)

translations: $(DEV_STAMP) ## compile the translations that changed
	@$(BIN)/python -m marketplace.development.processes translations

lock: $(DEV_STAMP) ## pin and hash what requirements*.in ask for
	$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-emit-index-url \
	  --no-emit-find-links --output-file requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-emit-index-url \
	  --no-emit-find-links --output-file requirements-dev.txt requirements-dev.in

vendor: ## copy the front-end files that the pages serve out of their npm packages
	npm ci --silent
	npm run --silent vendor

clean: ## remove what was installed and cached; data stays
	rm -rf .venv node_modules tests/fhir-server/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

forget: $(RUN_STAMP) ## delete the product's data: embedded database, keys, sandbox
	$(BIN)/python -m marketplace.development.database remove
	rm -rf var

.venv/python:
	@if [ -z "$(PYTHON)" ]; then echo "Anxiang needs Python 3.11 or newer; none was found (install it, or give PYTHON=path)." >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Anxiang needs Python 3.11 or newer; $(PYTHON) is not." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; exit 1; }
	@$(WORKS) || "$(PYTHON)" -m venv --clear .venv
	@touch $@

$(RUN_STAMP): | .venv/python
	@echo "Installing what the product needs …"
	@$(PIP) -r requirements.txt $(NAMED)
	@rm -f .venv/run-* && touch $@

$(DEV_STAMP): | .venv/python
	@echo "Installing what development needs …"
	@$(PIP) -r requirements-dev.txt $(NAMED)
	@rm -f .venv/run-* .venv/dev-* && touch $(RUN_STAMP) $@
