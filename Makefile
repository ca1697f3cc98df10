# `make demo` and `make test` set up what they need; everything lands in .venv (and .venv-newest for test-newest). Python 3.11 comes first, since the engine for CPUs has a wheel for it alone.
PYTHON ?= $(call that_runs,python3.11 python3.13 python3.12 python3)
NEWEST ?= $(call that_runs,python3.13 python3.12 python3.11)
# The first of these that runs: a version manager leaves names on the path of versions that are switched off.
that_runs = $(shell for name in $(1); do "$$name" -c '' 2>/dev/null && command -v "$$name" && break; done)
BIN := .venv/bin
export RAY_USAGE_STATS_ENABLED := 0
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.PHONY: setup setup-cpu tools demo test test-core test-engines test-newest check format check-starter check-sandbox check-s3 bench clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	@echo "setup: $(PYTHON), $$($(PYTHON) --version)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraints constraints.txt --excludes cpu-excludes.txt -e '.[data,dev]'
	@touch $@

# The engines for CPUs: vLLM, transformers, torch. Where a folder of wheels is configured, torch's CPU build comes from it.
setup-cpu: .venv/.ready-cpu

.venv/.ready-cpu: .venv/.ready cpu-excludes.txt
	@$(BIN)/python -c 'import sys; sys.version_info < (3, 12) or print("setup-cpu: no engine for CPUs beyond Python 3.11; its tests are skipped")'
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraints constraints.txt \
	    --excludes cpu-excludes.txt $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)",--torch-backend cpu) -e '.[cpu,dev]'
	@touch $@

# Chromium, Prometheus and Redis for the tests that use them, which are skipped without.
tools:
	.ci/tools

demo: setup
	$(BIN)/dlcodegen generate starter --out out/demo --projects

# In two parts at once: those with Ray mostly wait, the others mostly compute. Each part's output comes when it ends.
test: setup setup-cpu
	$(MAKE) --jobs 2 --output-sync=target test-core test-engines

test-core: setup setup-cpu
	$(BIN)/pytest --durations=20 --ignore tests/ray --ignore tests/vllm

test-engines: setup setup-cpu
	$(BIN)/pytest --durations=20 tests/ray tests/vllm

# The tests on the newest Python that is here, without an engine.
test-newest: .venv-newest/.ready
	.venv-newest/bin/pytest

.venv-newest/.ready: pyproject.toml constraints.txt .venv/.ready
	@echo "test-newest: $(NEWEST), $$($(NEWEST) --version)"
	$(NEWEST) -m venv .venv-newest
	$(BIN)/uv pip install --quiet --python .venv-newest/bin/python --compile-bytecode --constraints constraints.txt \
	    --excludes cpu-excludes.txt -e '.[dev]'
	@touch $@

check: setup-cpu
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Projects run in environments of their own (docs/execution.md), which are built when they are first needed.
check-starter: setup
	rm -rf out/check-starter
	$(BIN)/dlcodegen generate starter --out out/check-starter/run
	$(BIN)/python -m jobs.check_starter --generated out/check-starter/run --out out/check-starter/executed

# The longer attacks on the sandbox: without control groups, and each poison seen to work in one process.
check-sandbox: setup
	$(BIN)/pytest -m "check_sandbox or not check_sandbox" tests/pipeline/sandbox

# Runs on a real S3 server of this machine, which goes away in between; both in environments of their own.
check-s3: .venv-s3/.ready
	DLCODEGEN_MOTO_SERVER=$(CURDIR)/.venv-s3/server/bin/moto_server .venv-s3/bin/pytest -rs tests/s3

.venv-s3/.ready: pyproject.toml constraints.txt .venv/.ready
	$(PYTHON) -m venv .venv-s3
	$(BIN)/uv pip install --quiet --python .venv-s3/bin/python --constraints constraints.txt \
	    --excludes cpu-excludes.txt -e '.[data,dev,s3]'
	$(PYTHON) -m venv .venv-s3/server
	$(BIN)/uv pip install --quiet --python .venv-s3/server/bin/python 'moto[s3,server]>=5.1,<6'
	@touch $@

bench: setup
	$(BIN)/python -m benchmarks.generate

clean:
	rm -rf .venv .venv-newest out
