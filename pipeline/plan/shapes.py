"""A plan's shapes as dataset facts, and dataset facts as shapes: what each axis means in each task category."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pipeline.plan.dataset_facts import DatasetFacts, read_facts, shapes_in
from pipeline.plan.solution_plan import SolutionPlan

_IMAGE = ("height", "width", "channels")
_SERIES = ("sequence_length", "features")
_LAYOUTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Image Classification": (_IMAGE, ("classes",)),
    "Image Segmentation": (_IMAGE, ("height", "width", "classes")),
    "Object Detection": (_IMAGE, ()),
    "Image Super-Resolution": (_IMAGE, ()),
    "Image Generation": (("latent",), _IMAGE),
    "Image Captioning": (_IMAGE, ("sequence_length", "vocabulary")),
    "Image-to-Image": (_IMAGE, _IMAGE),
    "Image Regression": (_IMAGE, ("targets",)),
    "Tabular Classification": (("features",), ("classes",)),
    "Tabular Regression": (("features",), ("targets",)),
    "Text Classification": (("sequence_length",), ("classes",)),
    "Text Generation": (("sequence_length",), ("vocabulary",)),
    "Text-to-Text": (("sequence_length",), ("sequence_length", "vocabulary")),
    "Question Answering": (("sequence_length",), ()),
    "Time Series Forecasting": (_SERIES, ("horizon",)),
    "Time Series Classification": (_SERIES, ("classes",)),
    "Audio Classification": ((), ("classes",)),
    "Video Classification": (("frames", *_IMAGE), ("classes",)),
    "Anomaly Detection": (("features",), ("features",)),
}

"""The axes of a category's input and output, without the batch axis; () where there is no one shape."""

_NOTHING = DatasetFacts()

CLASSIFICATION = frozenset(name for name, (_, output) in _LAYOUTS.items() if output == ("classes",))
"""Categories whose model gives one label a row."""

REGRESSION = frozenset({"Tabular Regression", "Image Regression"})


def plan_facts(plan: SolutionPlan, category: str, said: DatasetFacts = _NOTHING) -> DatasetFacts:
    """What the plan says about the data, completed by what the user `said`.

    The plan's shapes, read with the axes of the canonical task category, come first; then the
    user's words; then the vocabulary of an Embedding; last the numbers that the plan's texts
    mention in passing.
    """
    inputs, outputs = _LAYOUTS.get(category, ((), ()))
    sizes = _sizes_by_axis(plan.dataset.output, outputs) | _sizes_by_axis(plan.dataset.input, inputs)
    if sizes.get("classes") == 1 and category in CLASSIFICATION | {"Image Segmentation"}:
        sizes["classes"] = 2  # one sigmoid output
    if category == "Image Super-Resolution":
        sizes |= _scale(plan)
    embedded = DatasetFacts(vocabulary=_embedding_vocabulary(plan) if category.startswith("Text") else None)
    mentioned = read_facts(f"{plan.dataset.input}\n{plan.dataset.output}")
    return DatasetFacts(**sizes).otherwise(said).otherwise(embedded).otherwise(mentioned)


def _sizes_by_axis(text: str, axes: tuple[str, ...]) -> dict[str, int]:
    """The known sizes of the first shape in a text that has as many axes as asked for."""
    for shape in shapes_in(text):
        if len(shape) == len(axes):
            pairs = zip(axes, shape, strict=True)
            return {axis: size for axis, size in pairs if size is not None}
    return {}


def _embedding_vocabulary(plan: SolutionPlan) -> int | None:
    """The vocabulary of the plan's first Embedding."""
    for layer in plan.layers:
        match = _EMBEDDING.match(layer)
        if match:
            return int(match[1])
    return None


def shape_texts(category: str, facts: DatasetFacts, *, single_output: bool) -> tuple[str, str]:
    """The plan's `Input` and `Output` for the facts; "" where the category's axes are not all known.

    `single_output`: a two-class task with one sigmoid output.
    """
    _, outputs = _LAYOUTS.get(category, ((), ()))
    output = _sizes(outputs, facts)
    if category == "Image Super-Resolution":
        output = _upscaled(facts)
    elif single_output and output and outputs[-1] == "classes":
        output[-1] = 1
    return _shape_text("input", input_shape(category, facts)), _shape_text("output", output)


def input_axes(category: str) -> tuple[str, ...]:
    """What the sizes of the category's input are, by the fields of DatasetFacts; () where there is no one shape."""
    return _LAYOUTS.get(category, ((), ()))[0]


def output_axes(category: str) -> tuple[str, ...]:
    """As `input_axes`, of its output."""
    return _LAYOUTS.get(category, ((), ()))[1]


def input_shape(category: str, facts: DatasetFacts) -> tuple[int, ...]:
    """The input's sizes without the batch axis; () where the category has no one input, or not all sizes are known."""
    inputs, _ = _LAYOUTS.get(category, ((), ()))
    sizes = _sizes(inputs, facts)
    return () if None in sizes else tuple(sizes)


def _sizes(axes: tuple[str, ...], facts: DatasetFacts) -> list[Any]:
    return [getattr(facts, axis) for axis in axes]


def _upscaled(facts: DatasetFacts) -> list[Any]:
    """Sizes of a super-resolution model's output; twice the input's where no factor is stated."""
    if not facts.height or not facts.width or not facts.channels:
        return []
    factor = facts.scale or 2
    return [facts.height * factor, facts.width * factor, facts.channels]


def _shape_text(word: str, sizes: Sequence[int | None]) -> str:
    if not sizes or None in sizes:
        return ""
    return f"Shape of the {word} data is (batch_size, {', '.join(map(str, sizes))})."


_EMBEDDING = re.compile(r"\s*(?:layers\.)?Embedding\((?:input_dim=)?(\d{2,})\b")


def _scale(plan: SolutionPlan) -> dict[str, int]:
    inputs, outputs = shapes_in(plan.dataset.input), shapes_in(plan.dataset.output)
    if not inputs or not outputs:
        return {}
    low, high = inputs[0][0], outputs[0][0]  # the heights
    if low and high and high % low == 0:
        return {"scale": high // low}
    return {}
