"""The constraints of a request as facts about its data: sizes, classes, lengths, settings.

What the request states counts first, then the user's own data, then what the name of a well-known data set implies.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.plan.dataset_facts import DatasetFacts
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract, DataKind
from pipeline.request.known_datasets import known_dataset

_NAMES = {
    "height": "height",
    "width": "width",
    "channels": "channels",
    "count": "classes",
    "features": "features",
    "outputs": "targets",
    "length": "sequence_length",
    "vocabulary": "vocabulary",
    "horizon": "horizon",
    "frames": "frames",
    "sample_rate": "sample_rate",
    "duration": "clip_seconds",
    "scale": "scale",
    "latent": "latent",
    "users": "users",
    "items": "items",
    "batch_size": "batch_size",
    "epochs": "epochs",
    "learning_rate": "learning_rate",
}
"""By the name of a constraint, the field of DatasetFacts."""

_AXES: dict[DataKind, tuple[str, ...]] = {
    "image": ("height", "width", "channels"),
    "video": ("frames", "height", "width", "channels"),
    "series": ("sequence_length", "features"),
    "text": ("sequence_length",),
    "table": ("features",),
}
"""The axes of one example, as shapes of data sets and of the user's data give them."""

_FEWEST_COLUMNS = 3
"""Columns that a request has to name before they are taken for all there are."""


def stated_facts(constraints: Sequence[Constraint], data: DataContract | None = None) -> DatasetFacts:
    """The facts that the constraints state; of several values for one thing the first counts."""
    wanted = [one for one in constraints if not one.negated]
    numbers: dict[str, float] = {}
    for one in wanted:
        field = _NAMES.get(one.name)
        if field and one.number is not None and one.number > 0:
            numbers.setdefault(field, one.number)
    _complete(numbers, wanted)
    facts = _facts(numbers)
    if data is not None:
        facts = facts.otherwise(data_facts(data))
    for one in wanted:
        if one.name == "dataset":
            facts = facts.otherwise(_facts_of_dataset(one.value))
    return facts


def data_facts(data: DataContract) -> DatasetFacts:
    """What the user's own data say: sizes of the inputs, classes or numbers to predict."""
    sizes: dict[str, float] = {}
    for item in data.inputs:
        sizes = _sizes(item.kind, item.shape) | sizes
        features = [column for column in item.columns if column.role == "feature"]
        if item.kind == "table" and features:
            sizes.setdefault("features", len(features))
    for target in data.targets:
        if target.classes:
            sizes.setdefault("classes", target.classes)
        if target.kind in ("number", "numbers"):
            sizes.setdefault("targets", target.shape[-1] or 1 if target.shape else 1)
    return _facts(sizes)


def _complete(numbers: dict[str, float], wanted: Sequence[Constraint]) -> None:
    """Counts that follow from what is listed: names of classes, columns of a table, channels of a series."""
    values = {(one.name, one.value) for one in wanted}
    class_names = [one for one in wanted if one.name == "name"]
    is_binary = ("variant", "binary") in values and ("variant", "multi_output") not in values
    if is_binary:  # more names than two are those of a column's values: "plan (basic, plus, premium)"
        numbers.setdefault("classes", 2)
    elif len(class_names) >= 2:
        numbers.setdefault("classes", len(class_names))
    columns = [one for one in wanted if one.name == "column"]
    if len(columns) >= _FEWEST_COLUMNS:
        numbers.setdefault("features", len(columns))
    if ("kind", "series") in values and "channels" in numbers and ("kind", "image") not in values:
        numbers.setdefault("features", numbers.pop("channels"))


def _facts_of_dataset(name: str) -> DatasetFacts:
    known = known_dataset(name)
    if known is None:
        return DatasetFacts()
    sizes = _sizes(known.kind, known.shape)
    if known.classes:
        sizes["classes"] = known.classes
    return _facts(sizes)


def _sizes(kind: DataKind, shape: Sequence[int | None]) -> dict[str, float]:
    axes = _AXES.get(kind, ())
    if len(axes) != len(shape):
        return {}
    return {axis: size for axis, size in zip(axes, shape, strict=True) if size}


def _facts(numbers: dict[str, float]) -> DatasetFacts:
    rate = numbers.get("learning_rate")
    whole = {name: int(value) for name, value in numbers.items() if name != "learning_rate" and value >= 1}
    return DatasetFacts(**whole, learning_rate=rate)
