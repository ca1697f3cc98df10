# `make demo` and `make test` set up what they need; everything lands in .venv (and .venv-tensorflow for check-starter).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export RAY_USAGE_STATS_ENABLED := 0

.PHONY: setup setup-cpu demo test check format check-starter bench clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraints constraints.txt --excludes cpu-excludes.txt -e '.[data,dev]'
	@touch $@

# The engines for CPUs: vLLM, transformers, torch. Where a folder of wheels is configured, torch's CPU build comes from it.
setup-cpu: .venv/.ready-cpu

.venv/.ready-cpu: .venv/.ready cpu-excludes.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraints constraints.txt \
	    --excludes cpu-excludes.txt $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)",--torch-backend cpu) -e '.[cpu,dev]'
	@touch $@

demo: setup
	$(BIN)/dlcodegen generate starter --out out/demo --projects

test: setup setup-cpu
	$(BIN)/pytest

check: setup-cpu
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# TensorFlow has an environment of its own: it does not get along with torch, and only subprocesses use it.
.venv-tensorflow/.ready: requirements-tensorflow.txt .venv/.ready
	$(PYTHON) -m venv .venv-tensorflow
	$(BIN)/uv pip install --quiet --python .venv-tensorflow/bin/python --compile-bytecode -r requirements-tensorflow.txt
	@touch $@

check-starter: setup .venv-tensorflow/.ready
	$(BIN)/dlcodegen generate starter --out out/check-starter --projects
	$(BIN)/python -m jobs.check_starter --python .venv-tensorflow/bin/python --generated out/check-starter/projects

bench: setup
	$(BIN)/python -m benchmarks.generate

clean:
	rm -rf .venv .venv-tensorflow out
