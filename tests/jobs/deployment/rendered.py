"""The descriptions of deploy/, rendered."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jobs.deployment.description import Deployment
from jobs.deployment.rendering import Kind, render
from pipeline.config import load_settings

ROOT = Path(__file__).parents[3]
KINDS: dict[str, Kind] = {
    "aws": "launcher",
    "gcp": "launcher",
    "on-premise": "launcher",
    "kubernetes": "kuberay",
    "slurm": "slurm",
}
LAUNCHERS = [name for name, kind in KINDS.items() if kind == "launcher"]


@cache
def rendered(description: str, *settings: str) -> dict[str, str]:
    """The files of a description of deploy/ with some settings changed."""
    deployment = load_settings(Deployment, str(ROOT / "deploy" / f"{description}.yaml"), settings)
    return render(KINDS[description], deployment)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(files: dict[str, str]) -> list[dict[str, Any]]:
    """All YAML documents of some files."""
    return [document for text in files.values() for document in yaml.load_all(text, _LOADER) if document]
