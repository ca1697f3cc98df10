"""A known plan's parts, adapted to what a new requirement states: sizes, named networks, classes, loss and metric."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.keras.facts import backbones
from pipeline.plan.dataset_facts import DatasetFacts
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION, input_shape
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_loss, canonical_metric

_CELLS = ("GRU", "LSTM", "SimpleRNN")
"""Recurrent layers, of which one can stand in the place of another."""

_LARGEST_SIDE = {
    "Image Super-Resolution": (128, 96),
    "Image Generation": (128, 128),
    "Video Classification": (112, 112),
}
"""Pixels a side up to which a stated size is kept, and what a larger one is scaled to; (320, 256) for all others."""


def within_reach(category: str, facts: DatasetFacts) -> DatasetFacts:
    """The facts with image sizes a model is trained at, in proportion: photos of 4000x3000 pixels are resized.

    Super-resolution is trained on small patches, and what is generated pixel by pixel is small too.
    """
    if not facts.height or not facts.width:
        return facts
    longest = max(facts.height, facts.width)
    kept, scaled = _LARGEST_SIDE.get(category, (320, 256))
    if longest <= kept:
        return facts
    shrink = scaled / longest
    return replace(facts, height=_in_eights(facts.height * shrink), width=_in_eights(facts.width * shrink))


def _in_eights(side: float) -> int:
    """The nearest multiple of 8, at least 8: three poolings halve it without a rest."""
    return max(8, round(side / 8) * 8)


def named_layers(text: str) -> tuple[str, ...]:
    """Backbones and recurrent cells that the user names ("use ResNet50", "with a GRU"); of two, the longer name."""
    folded = re.sub(r"[^a-z0-9]", "", text)
    named = [name for name in backbones() if re.sub(r"[^a-z0-9]", "", name.lower()) in folded]
    # A text with "ResNet50V2" has "ResNet50" too.
    longest = [name for name in named if not _is_part_of_another(name, named)]
    cells = [cell for cell in _CELLS if re.search(rf"\b{cell.lower()}s?\b", text)]
    return (*longest[:1], *cells[:1])


def _is_part_of_another(name: str, names: Sequence[str]) -> bool:
    return any(name != other and name in other for other in names)


def has_layers(plan: SolutionPlan, names: tuple[str, ...]) -> bool:
    """Whether the plan has all of the named layers; never where none is named."""
    return bool(names) and all(_occurs(name, plan.layers) for name in names)


def _occurs(name: str, layers: Sequence[str]) -> bool:
    return any(name in layer for layer in layers)


def with_named_layers(layers: tuple[str, ...], names: tuple[str, ...], category: str) -> tuple[str, ...]:
    """The layers with the network or cell that the user names in the place of another, or of plain convolutions."""
    for name in names:
        if _occurs(name, layers):
            continue
        others = "|".join(_CELLS if name in _CELLS else backbones())
        swapped = tuple(re.sub(rf"\b(?:{others})\(", f"{name}(", layer) for layer in layers)
        if swapped == layers and name not in _CELLS and category in ("Image Classification", "Image Regression"):
            backbone = f"{name}(include_top=False, weights='imagenet')"
            swapped = (backbone, "GlobalAveragePooling2D()", "Dropout(0.2)", *layers[-1:])
        layers = swapped
    return layers


def sized_text(text: str, facts: DatasetFacts) -> str:
    """A neighbour's text with this data's image size in the place of its own."""
    if not facts.height or not facts.width:
        return text
    return re.sub(r"\b\d{2,4} ?[x×] ?\d{2,4}\b", f"{facts.width}x{facts.height}", text)


_CLASS_LOSSES = frozenset(
    "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy binary_focal_crossentropy "
    "categorical_focal_crossentropy hinge squared_hinge categorical_hinge kl_divergence".split()
)
_CLASS_METRICS = frozenset(
    "accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy "
    "AUC Precision Recall F1Score".split()
)


def consistent_loss(category: str, voted: str, facts: DatasetFacts) -> str:
    """The voted loss, unless it cannot go with the category or with the number of classes."""
    if category in REGRESSION | {"Time Series Forecasting"} and canonical_loss(voted) in _CLASS_LOSSES | {""}:
        return "mean_squared_error"
    if category == "Image Segmentation" and (facts.classes or 2) > 2 and voted.startswith("binary"):
        return "categorical_crossentropy"
    if category in CLASSIFICATION:
        several = facts.classes is not None and facts.classes > 2
        wrong_count = voted.startswith("binary") if several else "hinge" in voted
        if voted not in _CLASS_LOSSES or wrong_count:
            return "categorical_crossentropy" if several else "binary_crossentropy"
    return voted or "mean_squared_error"


def consistent_metric(category: str, voted: str) -> str:
    if category in REGRESSION | {"Time Series Forecasting"} and canonical_metric(voted) in _CLASS_METRICS | {""}:
        return "mean_absolute_error"
    if category in CLASSIFICATION and voted not in _CLASS_METRICS:
        return "accuracy"
    return voted


def adapted_layers(
    layers: tuple[str, ...], category: str, facts: DatasetFacts, loss: str, single: bool
) -> tuple[str, ...]:
    """The layers with this data's input shape, and an output layer for its classes or targets."""
    shape = input_shape(category, facts)
    if shape and layers:
        # As Python writes a tuple, with the comma of a single size: "(32,)".
        first = re.sub(r"(input_shape=|Input\(shape=)\([^()]*\)", rf"\g<1>{shape}", layers[0], count=1)
        layers = (first, *layers[1:])
    if category.startswith("Text") and facts.vocabulary:
        layers = tuple(re.sub(r"\bEmbedding\(\d{3,}", f"Embedding({facts.vocabulary}", layer) for layer in layers)
    if category == "Image Segmentation" and facts.classes and layers:
        units = 1 if single else facts.classes
        return (*layers[:-1], re.sub(r"(?<=Conv2D\()\d+", str(units), layers[-1], count=1))
    head = _head(category, facts, loss, single)
    if head is None or not layers:
        return layers
    if re.search(r"dense|output", layers[-1], re.IGNORECASE):
        return (*layers[:-1], head)
    return (*layers, head)


def _head(category: str, facts: DatasetFacts, loss: str, single: bool) -> str | None:
    if category in CLASSIFICATION and facts.classes:
        units = 1 if single else facts.classes
        activation = "sigmoid" if single or loss.startswith("binary") else "softmax"
        return f"Dense({units}, activation='{activation}')"
    if category in REGRESSION:
        return f"Dense({facts.targets or 1})"
    if category == "Time Series Forecasting" and facts.horizon:
        return f"Dense({facts.horizon})"
    return None
