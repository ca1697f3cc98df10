"""The bundled data, all written for this project (docs/starter.md): requirements, plans, and samples with code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

STARTER = "starter"
"""The location that stands for this data, as input, sample pool or known plans."""

STARTER_SAMPLES = "starter-samples"
"""The input that has only what can be scored against a known solution: the samples, each with its code as reference."""


def requirement_rows() -> Iterator[dict[str, Any]]:
    """The demo's input: the 60 requirements without code, then those of the 40 samples; keys as in the paper."""
    yield from _json_lines("requirements")
    for row, _ in sample_rows():
        yield {name: row[name] for name in ("id", "User Requirement", "Dataset Attributes")}


def reference_rows() -> Iterator[dict[str, Any]]:
    """The samples as tasks: their requirements, with their code as reference."""
    for row, code in sample_rows():
        yield {name: row[name] for name in ("id", "User Requirement", "Dataset Attributes")} | {"reference": code}


def plan_rows() -> Iterator[dict[str, Any]]:
    """Requirements with plans: the samples' own, then those without code."""
    for row, _ in sample_rows():
        yield row
    yield from _json_lines("plans")


def sample_rows() -> Iterator[tuple[dict[str, Any], str]]:
    """Each sample's requirement with its plan, and its code."""
    folder = resources.files(__name__) / "samples"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".json"):
            code = (folder / entry.name.replace(".json", ".py")).read_text("utf-8")
            yield json.loads(entry.read_text("utf-8")), code


def _json_lines(folder: str) -> Iterator[dict[str, Any]]:
    for entry in sorted((resources.files(__name__) / folder).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".jsonl"):
            yield from map(json.loads, entry.read_text("utf-8").splitlines())
