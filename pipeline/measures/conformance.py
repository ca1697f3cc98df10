"""How far code keeps to its plan: the statements of the plan that can be checked by reading the code."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.analysis.extract import CodeFacts
from pipeline.keras.facts import canonical_layer
from pipeline.keras.layers import parse_layer, parse_layers
from pipeline.keras.repair import layer_named
from pipeline.plan.dataset_facts import shapes_in
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_loss, canonical_metric, canonical_optimizer

LAYERS_WEIGHT = 4.0
"""The layers count as much as four settings: half of what a plan that states everything is checked for."""

# What Keras does where the code is silent (Model.fit, and the optimizers' own learning rates).
DEFAULT_BATCH_SIZE = 32
DEFAULT_EPOCHS = 1
DEFAULT_LEARNING_RATE = {"SGD": 0.01}
OTHER_LEARNING_RATE = 0.001

_CROSSENTROPIES = frozenset({"categorical_crossentropy", "sparse_categorical_crossentropy"})
_ACCURACIES = frozenset({"accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"})
_CALLED = re.compile(r"\s*(?:\w+\.)*([A-Za-z_]\w*)\(")
_LONGEST = 400  # layers compared; the comparison takes the product of both lengths


@dataclass(frozen=True, slots=True)
class Conformance:
    """`share` of the plan's statements that the code keeps, by weight; `statements` says how many could be checked.

    A deviation is a phrase that names both sides: "batch size 64, the plan says 32".
    """

    share: float
    deviations: tuple[str, ...]
    statements: int


@dataclass(frozen=True, slots=True)
class _Finding:
    kept: float
    deviation: str = ""
    weight: float = 1.0


def conformance(facts: CodeFacts, plan: SolutionPlan) -> Conformance:
    """The code's facts against the plan. A plan without any checkable statement is kept by every code: share 1.0.

    Weight 1 each: optimizer, loss, learning rate, batch size, epochs, metric, input shape, units of the last layer, as
    far as the plan states them. Weight 4: the sequence of layer types, kept to the share 2 * LCS / (layers of the
    plan + layers of the code), where LCS is the longest common subsequence; `Input` does not count, nor do augmentation
    layers if the plan names none. Where the code is silent, Keras' defaults are compared. Losses that differ only in
    how labels are encoded count as equal, and are named all the same.
    """
    findings = [*_settings(facts, plan), *_input_shape(facts, plan), *_layers(facts, plan), *_output_units(facts, plan)]
    total = sum(finding.weight for finding in findings)
    kept = sum(finding.weight * finding.kept for finding in findings)
    deviations = tuple(finding.deviation for finding in findings if finding.deviation)
    return Conformance(kept / total if total else 1.0, deviations, len(findings))


def layer_classes(entry: str) -> list[str]:
    """The layer classes that one entry of a plan names. Of a call that is not understood (a layer class of the project)
    the name counts; a phrase that is not understood stands for itself, so that no code has it."""
    if calls := parse_layers(entry):
        return [_class(call.name) for call in calls]
    called = _CALLED.match(entry)
    return [called[1] if called else entry]


def _settings(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    hyper = plan.hyperparameters
    if optimizer := canonical_optimizer(hyper.optimizer):
        yield _equal("optimizer", facts.optimizer, optimizer)
    if loss := canonical_loss(hyper.loss):
        if facts.loss != loss and {facts.loss, loss} == _CROSSENTROPIES:
            yield _Finding(1.0, f"loss {facts.loss}, the plan says {loss}: the same, with labels encoded otherwise")
        else:
            yield _equal("loss", facts.loss, loss)
    if hyper.learning_rate is not None:
        default = DEFAULT_LEARNING_RATE.get(facts.optimizer, OTHER_LEARNING_RATE) if facts.optimizer else None
        yield _equal("learning rate", facts.learning_rate or default, hyper.learning_rate)
    if hyper.batch_size is not None:
        yield _equal("batch size", facts.batch_size or DEFAULT_BATCH_SIZE, hyper.batch_size)
    if hyper.epochs is not None:
        yield _equal("epochs", facts.epochs or DEFAULT_EPOCHS, hyper.epochs)
    if metric := canonical_metric(hyper.metric):
        accepted = _ACCURACIES if metric in _ACCURACIES else {metric}
        found = ", ".join(facts.metrics)
        yield _Finding(1.0) if accepted & set(facts.metrics) else _deviating("metric", found, metric)


def _input_shape(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    stated = [shape for shape in shapes_in(plan.dataset.input) if any(shape)]
    found = facts.input_shape
    if stated and found is not None and any(found):
        kept = any(_same_shape(found, shape) for shape in stated)
        yield _Finding(1.0) if kept else _deviating("input shape", _shown(found), _shown(stated[0]))


def _layers(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    planned = [name for entry in plan.layers for name in layer_classes(entry) if name != "Input"][:_LONGEST]
    built = [name for layer in facts.layers if (name := _class(layer.name)) != "Input"][:_LONGEST]
    if not planned:
        return
    if not any(map(_augments, planned)):
        built = [name for name in built if not _augments(name)]
    common = longest_common_subsequence(planned, built)
    kept = 2 * len(common) / (len(planned) + len(built))
    if kept == 1:
        yield _Finding(1.0, weight=LAYERS_WEIGHT)
        return
    missing, further = Counter(planned) - Counter(common), Counter(built) - Counter(common)
    parts = [f"{len(built)} layers, the plan has {len(planned)}"]
    parts += [f"{word} {_counted(names)}" for word, names in (("without", missing), ("also", further)) if names]
    yield _Finding(kept, "; ".join(parts), LAYERS_WEIGHT)


def _augments(name: str) -> bool:
    """RandomFlip and its kin: part of the preprocessing, unless the plan lists them among its layers."""
    return name.startswith("Random")


def _class(name: str) -> str:
    """The Keras 3 class behind an alias or a former name; a name that Keras does not know as it is."""
    return canonical_layer(layer_named(name) or name)


def _output_units(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    planned = next((units for entry in reversed(plan.layers) if (units := _units(entry)) is not None), None)
    built = next((units for layer in reversed(facts.layers) if (units := _units(layer.text)) is not None), None)
    if planned is not None and built is not None:
        yield _equal("units of the last layer", built, planned)


def _units(text: str) -> int | None:
    """Units or filters of a layer, if the text states the number; `parse_layer` fills in what is left open."""
    call = parse_layer(text)
    arguments = call.arguments if call is not None else {}
    units = arguments.get("units", arguments.get("filters"))
    return units if isinstance(units, int) and re.search(rf"\b{units}\b", text) else None


def _equal(what: str, found: str | float | None, planned: str | float) -> _Finding:
    if isinstance(planned, str) or found is None or isinstance(found, str):
        return _Finding(1.0) if found == planned else _deviating(what, found, planned)
    return _Finding(1.0) if math.isclose(found, planned, rel_tol=1e-3) else _deviating(what, found, planned)


def _deviating(what: str, found: str | float | None, planned: str | float) -> _Finding:
    return _Finding(0.0, f"{what} {found}, the plan says {planned}" if found else f"no {what}, the plan says {planned}")


def _same_shape(found: Sequence[int | None], stated: Sequence[int | None]) -> bool:
    """Equal rank, and no axis on which both are known and differ."""
    return len(found) == len(stated) and all(
        None in pair or pair[0] == pair[1] for pair in zip(found, stated, strict=True)
    )


def _shown(shape: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def _counted(names: Counter[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())


def longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """One of the longest sequences that both contain in this order, not necessarily side by side."""
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]  # lengths[i][j]: of left[i:] and right[j:]
    for i in range(len(left) - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(len(right) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if left[i] == right[j] else max(below[j], row[j + 1])
    found, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            found.append(left[i])
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return found
