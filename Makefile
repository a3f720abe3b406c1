# Two environments: .venv runs the product, .venv-dev adds the cloud extras and the test tools.
PYTHON ?= python3
RUNTIME := .venv/installed
DEV := .venv-dev/installed
# The emulators run on Python 3.13 only, and on other versions of what the product uses: an environment of their own.
EMULATORS := .venv-emulators/installed
# What looks at the image's recipe: a linter, an auditor, a writer of bills of material.
TOOLS := .venv-tools/installed
# What the benchmarks compare with; Spark alone is half a gigabyte.
BENCH := .venv-bench/installed
# The tests' environment, and a fuzzer that has wheels for some versions of Python only.
FUZZ := .venv-fuzz/installed
IMAGE ?= full-court
PYTHON313 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13) python3.13)

.PHONY: demo test test-long test-slow test-cloud fuzz check audit bench generate reliability lock sbom image image-pin clean

demo: $(RUNTIME)  ## ingest a simulated half season, run the gate over it, show what was held back and why
	.venv/bin/fullcourt demo

test: $(DEV)  ## every rule, command and pipeline, in minutes
	.venv-dev/bin/pytest

test-long: $(DEV)  ## whole backfills, drills, real seasons; these need ../shared/data and skip, saying so, without it
	.venv-dev/bin/pytest -m 'long and not slow and not cloud'

test-slow: $(DEV)  ## every cell of every day of the real seasons against references; minutes long
	.venv-dev/bin/pytest -m slow --timeout 3600

# A file to a worker, as emulators are slow to fill; in their order, as those of few long tests come first.
test-cloud: $(DEV) $(EMULATORS)  ## the BigQuery warehouse against emulators; minutes long; they need Python 3.13
	.venv-dev/bin/pytest -m cloud --dist loadfile --no-loadscope-reorder --timeout 1800

fuzz: $(FUZZ)  ## inputs that grow towards code not yet reached, 20 s a target; what ends one is left in build/fuzz
	.venv-fuzz/bin/python -m tests.fuzz.guided

check: $(DEV) $(TOOLS)  ## lint, formatting, types, import direction, the image's recipe
	.venv-tools/bin/hadolint templates/Dockerfile
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports

audit: $(DEV) $(TOOLS)  ## known vulnerabilities of what the image holds; says so where none can be asked for
	.venv-dev/bin/python -m templates.audit .venv-tools/bin/pip-audit requirements/image.lock

bench: $(RUNTIME) $(BENCH)  ## the gate against SQL and others, and the product's commands, as ratios of interleaved runs
	.venv/bin/python -m benchmarks --markdown build/bench.md --json build/bench.json

generate: $(DEV)  ## the files made from the code: docs/commands.md, Grafana's, the templates', Terraform's, docs/reliability.md; tests compare them
	.venv-dev/bin/python -m typer fullcourt.cli.main utils docs --name fullcourt --title Commands --output docs/commands.md
	.venv-dev/bin/python -m monitoring.generate
	.venv-dev/bin/python -m templates.generate
	.venv-dev/bin/python -m templates.infra.generate
	.venv-dev/bin/python -m tests.faults.reliability

reliability: $(DEV)  ## counts anew the kills and bad inputs that docs/reliability.md speaks of: runs all but the slow lanes
	rm -f .figures; FULLCOURT_FIGURES=$(CURDIR)/.figures .venv-dev/bin/pytest -m 'not slow and not cloud'
	.venv-dev/bin/python -m tests.faults.reliability default .figures; rm -f .figures

lock: $(DEV)  ## recompute the hash-pinned lock files
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements/build.in -o requirements/build.lock
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements/runtime.lock
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --extra gcp --extra dev -c requirements/runtime.lock -o requirements/dev.lock
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.13 requirements/emulators.in -o requirements/emulators.lock
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements/tools.in -o requirements/tools.lock
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements/fuzz.in -o requirements/fuzz.lock
	.venv-dev/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 requirements/bench.in -c requirements/runtime.lock -o requirements/bench.lock
	.venv-dev/bin/uv pip compile -q --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28 pyproject.toml --extra gcp -c requirements/dev.lock -o requirements/image.lock
	$(MAKE) sbom

sbom: $(TOOLS)  ## the image's bill of materials, of its lock file
	sed -nE 's/^([^ ;#]+==[^ ;\]+).*/\1/p' requirements/image.lock | .venv-tools/bin/cyclonedx-py requirements - --pyproject pyproject.toml --output-reproducible --short-PURLs -o templates/sbom.json

image-pin: $(DEV)  ## looks up the digests of the image's bases; needs Docker with buildx, and a network
	.venv-dev/bin/python -m templates.image

image: templates/digests.env  ## builds the image; needs Docker with BuildKit: make IMAGE=host/project/name:tag image
	docker build $(addprefix --build-arg ,$(shell cat templates/digests.env)) --file templates/Dockerfile --tag $(IMAGE) .

templates/digests.env:
	@echo "the bases of the image are not pinned yet: run make image-pin where the registries can be reached"; exit 1

clean:
	rm -rf .venv .venv-dev .venv-emulators .venv-tools .venv-bench .venv-fuzz

.venv-emulators/installed: requirements/emulators.lock | $(DEV)
	@if $(PYTHON313) -c '' 2>/dev/null; then \
	  $(PYTHON313) -m venv --clear $(@D) && \
	  VIRTUAL_ENV=$(@D) .venv-dev/bin/uv pip install -q --require-hashes --compile-bytecode --only-binary :all: -r $< && \
	  touch $@; \
	else echo "no Python 3.13 as $(PYTHON313): without the emulators the tests skip; make PYTHON313=..."; fi

.venv-tools/installed: requirements/tools.lock | $(DEV)
	$(PYTHON) -m venv --clear $(@D)
	VIRTUAL_ENV=$(@D) .venv-dev/bin/uv pip install -q --require-hashes --compile-bytecode --only-binary :all: -r $<
	touch $@

# uv installs and byte-compiles in a tenth of pip's time; pip only installs uv.
.venv/installed: requirements/build.lock requirements/runtime.lock pyproject.toml setup.py
.venv-dev/installed: requirements/build.lock requirements/dev.lock pyproject.toml setup.py
.venv/installed: LOCK = requirements/runtime.lock
.venv-dev/installed: LOCK = requirements/dev.lock
.venv-bench/installed: requirements/build.lock requirements/bench.lock pyproject.toml setup.py
.venv-bench/installed: LOCK = requirements/bench.lock
.venv-fuzz/installed: requirements/build.lock requirements/dev.lock requirements/fuzz.lock pyproject.toml setup.py
.venv-fuzz/installed: LOCK = requirements/dev.lock -r requirements/fuzz.lock
%/installed:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else f"Full Court needs Python 3.11 to 3.13, found {sys.version.split()[0]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -q --require-hashes --only-binary :all: -r requirements/build.lock
	VIRTUAL_ENV=$(@D) $(@D)/bin/uv pip install -q --require-hashes --compile-bytecode --no-build-isolation -r $(LOCK)
	VIRTUAL_ENV=$(@D) $(@D)/bin/uv pip install -q --no-deps --no-build-isolation -e .
	touch $@
