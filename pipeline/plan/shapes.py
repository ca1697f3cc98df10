"""A plan's shapes as dataset facts, and dataset facts as shapes: what each axis means in each task category."""

from __future__ import annotations

import re

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

_NOTHING = DatasetFacts()

CLASSIFICATION = frozenset(name for name, (_, output) in _LAYOUTS.items() if output == ("classes",))
"""Categories whose model gives one label a row."""

REGRESSION = frozenset({"Tabular Regression", "Image Regression"})


def plan_facts(plan: SolutionPlan, category: str, said: DatasetFacts = _NOTHING) -> DatasetFacts:
    """What the plan says about the data: its shapes, read with the axes of the canonical task category, before what the
    user `said`; that before the vocabulary of an Embedding, and before numbers the plan's texts mention in passing."""
    sizes: dict[str, int] = {}
    inputs, outputs = _LAYOUTS.get(category, ((), ()))
    for axes, text in ((inputs, plan.dataset.input), (outputs, plan.dataset.output)):
        for shape in shapes_in(text):
            if len(shape) == len(axes):
                for axis, size in zip(axes, shape, strict=True):
                    if size is not None:
                        sizes.setdefault(axis, size)
                break
    if sizes.get("classes") == 1 and category in CLASSIFICATION | {"Image Segmentation"}:
        sizes["classes"] = 2  # one sigmoid output
    if category == "Image Super-Resolution":
        sizes |= _scale(plan)
    embedding = next((match for layer in plan.layers if (match := _EMBEDDING.match(layer))), None)
    vocabulary = int(embedding[1]) if embedding and category.startswith("Text") else None
    mentioned = read_facts(f"{plan.dataset.input}\n{plan.dataset.output}")
    return DatasetFacts(**sizes).otherwise(said).otherwise(DatasetFacts(vocabulary=vocabulary)).otherwise(mentioned)


def shape_texts(category: str, facts: DatasetFacts, *, single_output: bool) -> tuple[str, str]:
    """The plan's `Input` and `Output` for the facts; "" where the category's axes are not all known.

    `single_output`: a two-class task with one sigmoid output.
    """
    inputs, outputs = _LAYOUTS.get(category, ((), ()))
    texts = []
    for word, axes in (("input", inputs), ("output", outputs)):
        sizes = [getattr(facts, axis) for axis in axes]
        if word == "output" and axes and axes[-1] == "classes" and single_output:
            sizes[-1] = 1
        if category == "Image Super-Resolution" and word == "output":
            image = [getattr(facts, axis) for axis in _IMAGE]
            scale = facts.scale or 2
            sizes = [image[0] * scale, image[1] * scale, image[2]] if all(image) else []
        known = bool(sizes) and None not in sizes
        texts.append(f"Shape of the {word} data is (batch_size, {', '.join(map(str, sizes))})." if known else "")
    return texts[0], texts[1]


def input_shape(category: str, facts: DatasetFacts) -> tuple[int, ...]:
    """The input's sizes without the batch axis; () where the category has no one input, or not all sizes are known."""
    sizes = [getattr(facts, axis) for axis in _LAYOUTS.get(category, ((), ()))[0]]
    return tuple(sizes) if None not in sizes else ()


_EMBEDDING = re.compile(r"\s*(?:layers\.)?Embedding\((?:input_dim=)?(\d{2,})\b")


def _scale(plan: SolutionPlan) -> dict[str, int]:
    inputs, outputs = shapes_in(plan.dataset.input), shapes_in(plan.dataset.output)
    if inputs and outputs and inputs[0][0] and outputs[0][0] and outputs[0][0] % inputs[0][0] == 0:
        return {"scale": outputs[0][0] // inputs[0][0]}
    return {}
