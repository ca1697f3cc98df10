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
    """The parameters of one callable. `required` holds those without a default; the base classes' ones are included."""

    positional: tuple[str, ...]
    keyword_only: frozenset[str]
    required: tuple[str, ...]
    any_args: bool
    any_keywords: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter name, the positional ones first."""
        return (*self.positional, *sorted(self.keyword_only))

    def accepts(self, keyword: str) -> bool:
        return self.any_keywords or keyword in self.positional or keyword in self.keyword_only

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Reads the notation that `make_api` describes: `filters kernel_size strides= * name= **`."""
        words = text.split()
        star = next((i for i, word in enumerate(words) if word.startswith("*")), len(words))
        parameters = [word for word in words if not word.startswith("*")]
        return cls(
            positional=tuple(word.rstrip("=") for word in words[:star]),
            keyword_only=frozenset(word.rstrip("=") for word in words[star:] if not word.startswith("*")),
            required=tuple(word for word in parameters if not word.endswith("=")),
            any_args="*args" in words,
            any_keywords="**" in words,
        )


@dataclass(frozen=True, slots=True)
class Backbone:
    """A keras.applications model without its top: smallest square input, output channels, parameters, size steps."""

    smallest: int
    channels: int
    parameters: int
    spatial: tuple[str, ...]


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
    return None if text is None else Signature.parse(text)


@lru_cache(maxsize=1)
def modules() -> dict[str, frozenset[str]]:
    """The public names of every public module, as `tensorflow.keras` has them; the key of keras itself is ""."""
    return {path: frozenset(names) for path, names in _api()["names"].items()}


@lru_cache(maxsize=1)
def tensorflow_only() -> frozenset[str]:
    """Names that `tensorflow.keras` keeps from Keras 2 and the `keras` package no longer has."""
    return frozenset(_api()["tensorflow_only"])


@lru_cache(maxsize=1)
def layer_names() -> frozenset[str]:
    """The layer classes of Keras 3, aliases such as MaxPool2D included."""
    names = {name for name in modules()["layers"] if name[0].isupper() and signature(f"layers.{name}")}
    return frozenset(name for name in names if f"layers.{name}" not in tensorflow_only())


def canonical_layer(name: str) -> str:
    """The class behind an alias: "MaxPool2D" -> "MaxPooling2D"; any other name as it is."""
    return str(_api()["layer_aliases"].get(name, name))


@lru_cache(maxsize=1)
def backbones() -> dict[str, Backbone]:
    """The keras.applications models that can be used without their top, by name."""
    facts = json.loads((Path(__file__).parent / "backbones.json").read_text(encoding="utf-8"))
    return {
        name: Backbone(one["smallest"], one["channels"], one["parameters"], tuple(one["spatial"].split()))
        for name, one in facts.items()
    }
