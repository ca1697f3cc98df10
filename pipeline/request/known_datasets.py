"""Well-known data sets: what their names imply. Not asked for by the text, but known to whoever plans.

Numbers are those of the data sets' own pages (Keras, scikit-learn, torchvision, UCI, TensorFlow Datasets).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pipeline.request.data_contract import DataKind

DatasetSource = Literal["keras", "sklearn", "seaborn", "tfds", "torchvision", "download"]
"""Which package hands the data out; `download` where none does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownDataset:
    """What a data set's name implies."""

    name: str
    """As in `Constraint.value`: `fashion_mnist`."""
    kind: DataKind
    problem: str
    """The usual one, in the words of `Constraint.value`."""
    shape: tuple[int, ...] = ()
    """Sizes of one example, channels last; empty where they vary."""
    classes: int | None = None
    class_names: tuple[str, ...] = ()
    examples: int | None = None
    target: str = ""
    """The target column of a table."""
    source: DatasetSource = "download"


def known_dataset(name: str) -> KnownDataset | None:
    """What is known of a data set, by the value of a `dataset` constraint."""
    return known_datasets().get(name)


@cache
def known_datasets() -> dict[str, KnownDataset]:
    """All that are known, by name."""
    text = files("pipeline.request").joinpath("known_datasets.toml").read_text(encoding="utf-8")
    known = {}
    for name, facts in tomllib.loads(text).items():
        for key in ("shape", "class_names"):
            facts[key] = tuple(facts.get(key, ()))
        known[name] = KnownDataset(name=name, **facts)
    return known
