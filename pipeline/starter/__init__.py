"""The bundled data, all written for this project (docs/starter.md): requirements, plans, and samples with code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

STARTER = "starter"
"""The location that stands for this data, as input, sample pool or known plans."""

STARTER40 = "starter40"
"""The sample pool of the paper's size: its forty samples alone."""

STARTER_TORCH = "starter-torch"
"""The samples in PyTorch: as known plans, in PyTorch's words, for a planner that is fitted on them; as input, their
requirements with their code as reference."""

STARTER_SAMPLES = "starter-samples"
"""The input that has only what can be scored against a known solution: the samples, each with its code as reference."""

_INPUT_KEYS = ("id", "User Requirement", "Dataset Attributes")
"""What a row of input has; a sample's plan is not handed to whoever is to answer it."""


def requirement_rows() -> Iterator[dict[str, Any]]:
    """The demo's input: the 60 requirements without code, then those of the 40 samples; keys as in the paper."""
    yield from _json_lines("requirements")
    for row, _ in forty_rows():
        yield {key: row[key] for key in _INPUT_KEYS}


def reference_rows() -> Iterator[dict[str, Any]]:
    """The forty samples as tasks: their requirements, with their code as reference."""
    for row, code in forty_rows():
        yield {key: row[key] for key in _INPUT_KEYS} | {"reference": code}


def torch_reference_rows() -> Iterator[dict[str, Any]]:
    """The samples in PyTorch as tasks, as `reference_rows`."""
    for row, code in torch_rows():
        yield {key: row[key] for key in _INPUT_KEYS} | {"reference": code}


def known_plan_rows() -> Iterator[dict[str, Any]]:
    """Requirements with plans in Keras' words, as the paper has them: the samples' own, then those without code. A plan
    that is drawn from both kinds would have layers of both."""
    for row, _ in (*forty_rows(), *keras_rows()):
        yield row
    yield from _json_lines("plans")


def torch_plan_rows() -> Iterator[dict[str, Any]]:
    """The requirements and plans of the samples in PyTorch; the plans say so."""
    for row, _ in torch_rows():
        yield row | {"Code Plan": row["Code Plan"] | {"Framework": "pytorch"}}


def sample_rows() -> Iterator[tuple[dict[str, Any], str]]:
    """The whole pool: each sample's requirement with its plan, and its code."""
    yield from forty_rows()
    yield from matrix_rows()


def forty_rows() -> Iterator[tuple[dict[str, Any], str]]:
    """The samples of `starter40`, as `sample_rows`."""
    yield from _samples_in("samples/starter40")


def matrix_rows() -> Iterator[tuple[dict[str, Any], str]]:
    """The samples of the matrix (docs/starter.md), as `sample_rows`; their rows declare their cell."""
    yield from keras_rows()
    yield from torch_rows()


def keras_rows() -> Iterator[tuple[dict[str, Any], str]]:
    """Those in Keras."""
    yield from _samples_in("samples/keras")


def torch_rows() -> Iterator[tuple[dict[str, Any], str]]:
    """Those in PyTorch."""
    yield from _samples_in("samples/torch")


def _samples_in(path: str) -> Iterator[tuple[dict[str, Any], str]]:
    folder = resources.files(__name__) / path
    # By name: folders list their files in an order of their own, and rows are numbered as they come.
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".json"):
            code = (folder / entry.name.replace(".json", ".py")).read_text("utf-8")
            yield json.loads(entry.read_text("utf-8")), code


def _json_lines(folder: str) -> Iterator[dict[str, Any]]:
    """The objects of all .jsonl files in a folder of this package."""
    for entry in sorted((resources.files(__name__) / folder).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".jsonl"):
            for line in entry.read_text("utf-8").splitlines():
                yield json.loads(line)
