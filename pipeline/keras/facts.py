"""The facts of api.json and backbones.json, read once.

Names are relative to `keras`: "layers.Conv2D", "Model.fit", "Sequential". The files come from `make_api` and
`make_backbones`; the versions they were taken from are in `versions()`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of one callable, those of its base classes included."""

    positional: tuple[str, ...]
    keyword_only: frozenset[str]
    required: tuple[str, ...]
    """Those without a default."""
    any_args: bool
    """Whether it takes any number of positional arguments."""
    any_keywords: bool
    """Whether it takes any keyword."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter name, the positional ones first."""
        return (*self.positional, *sorted(self.keyword_only))

    def accepts(self, keyword: str) -> bool:
        return self.any_keywords or keyword in self.positional or keyword in self.keyword_only

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Reads the notation that `make_api` describes: `filters kernel_size strides= * name= **`."""
        parts = text.split()
        positional: list[str] = []
        keyword_only: list[str] = []
        required: list[str] = []
        names = positional  # the list that the next name belongs to
        for part in parts:
            if part.startswith("*"):  # "*", "*args" or "**"
                names = keyword_only
                continue
            name = part.rstrip("=")
            names.append(name)
            if name == part:
                required.append(name)
        return cls(
            positional=tuple(positional),
            keyword_only=frozenset(keyword_only),
            required=tuple(required),
            any_args="*args" in parts,
            any_keywords="**" in parts,
        )


@dataclass(frozen=True, slots=True)
class Backbone:
    """A keras.applications model without its top."""

    smallest: int
    """Height and width of the smallest square input."""
    channels: int
    """Of its output."""
    parameters: int
    spatial: tuple[str, ...]
    """The steps that change height and width, in the notation of `make_backbones`."""


@lru_cache(maxsize=1)
def _api() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((Path(__file__).parent / "api.json").read_text(encoding="utf-8"))
    return facts


def versions() -> dict[str, str]:
    """The versions of keras and tensorflow that the facts were read from."""
    return dict(_api()["versions"])


@lru_cache(maxsize=1024)
def signature(name: str) -> Signature | None:
    """The signature of a public callable, or None where there is none of that name."""
    text = _api()["calls"].get(name)
    if text is None:
        return None
    return Signature.parse(text)


@lru_cache(maxsize=1)
def modules() -> dict[str, frozenset[str]]:
    """The public names of every public module, of `keras` and `tensorflow.keras` together; the key of keras itself is
    ""."""
    return {path: frozenset(names) for path, names in _api()["names"].items()}


@lru_cache(maxsize=1)
def tensorflow_only() -> frozenset[str]:
    """Names that `tensorflow.keras` keeps from Keras 2 and the `keras` package no longer has."""
    return frozenset(_api()["tensorflow_only"])


@lru_cache(maxsize=1)
def keras_only() -> frozenset[str]:
    """Names that the `keras` package has and `tensorflow.keras` has not."""
    return frozenset(_api()["keras_only"])


@lru_cache(maxsize=1)
def words() -> dict[str, frozenset[str]]:
    """What Keras takes for `optimizers`, `losses`, `metrics` and `activations` that are given as a text."""
    return {kind: frozenset(texts) for kind, texts in _api()["words"].items()}


@lru_cache(maxsize=1)
def layer_names() -> frozenset[str]:
    """The layer classes of Keras 3, aliases such as MaxPool2D included."""
    names: set[str] = set()
    for name in modules()["layers"]:
        path = f"layers.{name}"
        if name[0].isupper() and signature(path) is not None and path not in tensorflow_only():
            names.add(name)
    return frozenset(names)


def canonical_layer(name: str) -> str:
    """The class behind an alias: "MaxPool2D" -> "MaxPooling2D"; any other name as it is."""
    return str(_api()["layer_aliases"].get(name, name))


@lru_cache(maxsize=1)
def backbones() -> dict[str, Backbone]:
    """The keras.applications models that can be used without their top, by name."""
    facts = json.loads((Path(__file__).parent / "backbones.json").read_text(encoding="utf-8"))
    models: dict[str, Backbone] = {}
    for name, model in facts.items():
        models[name] = Backbone(
            smallest=model["smallest"],
            channels=model["channels"],
            parameters=model["parameters"],
            spatial=tuple(model["spatial"].split()),
        )
    return models
