"""How far code keeps to its plan: the statements of the plan that can be checked by
reading the code."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.analysis.extract import CodeFacts
from pipeline.keras.facts import canonical_layer
from pipeline.keras.layer_call import LayerCall
from pipeline.keras.layers import parse_layer, parse_layers
from pipeline.keras.repair import layer_named
from pipeline.plan.dataset_facts import shapes_in
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_loss, canonical_metric, canonical_optimizer

LAYERS_WEIGHT = 4.0
"""The layers count as much as four settings: half of what a plan that states
everything is checked for."""

# What Keras does where the code is silent (Model.fit, and the optimizers' own learning rates).
DEFAULT_BATCH_SIZE = 32
DEFAULT_EPOCHS = 1
DEFAULT_LEARNING_RATE = {"SGD": 0.01}
OTHER_LEARNING_RATE = 0.001

_CROSSENTROPIES = frozenset({"categorical_crossentropy", "sparse_categorical_crossentropy"})
_ACCURACIES = frozenset({"accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"})
_WITH_UNITS = frozenset({"Dense", "EinsumDense", "LSTM", "GRU", "SimpleRNN"})
"""Layers that have units even where their number is left out."""

_MAY_HAVE_UNITS = re.compile(r"dense|conv|lstm|gru|rnn", re.IGNORECASE)
_CALLED = re.compile(r"\s*(?:\w+\.)*([A-Za-z_]\w*)\(")
_LONGEST = 400  # layers compared; the comparison takes the product of both lengths


@dataclass(frozen=True, slots=True)
class Conformance:
    """How far a project keeps to its plan."""

    share: float
    """Of the plan's statements that can be checked, by weight, in [0, 1]."""
    deviations: tuple[str, ...]
    """Phrases that name both sides: "batch size 64, the plan says 32"."""
    statements: int
    """How many could be checked."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What was found of one statement of the plan."""

    kept: float
    """In [0, 1]."""
    deviation: str = ""
    weight: float = 1.0


def conformance(facts: CodeFacts, plan: SolutionPlan) -> Conformance:
    """The code's facts against the plan. A plan without any checkable statement is kept by every
    code: share 1.0.

    Weight 1 each: optimizer, loss, learning rate, batch size, epochs, metric, input shape, units of
    the last layer, as far as the plan states them. Weight 4: the sequence of layer types, kept to
    the share 2 * LCS / (layers of the plan + layers of the code), where LCS is the longest common
    subsequence; `Input` does not count, nor do augmentation layers if the plan names none. Where
    the code is silent, Keras' defaults are compared. Losses that differ only in how labels are
    encoded count as equal, and are named all the same.
    """
    findings: list[_Finding] = []
    for check in (_settings, _input_shape, _layers, _output_units):
        findings += check(facts, plan)
    if not findings:
        return Conformance(1.0, (), 0)
    total = kept = 0.0
    for finding in findings:  # one after another: from Python 3.12 on, `sum` would give another last digit
        total += finding.weight
        kept += finding.weight * finding.kept
    deviations = [finding.deviation for finding in findings if finding.deviation]
    return Conformance(kept / total, tuple(deviations), len(findings))


def layer_classes(entry: str) -> list[str]:
    """The layer classes that one entry of a plan names. Of a call that is not understood (a layer
    class of the project) the name counts; a phrase that is not understood stands for itself, so
    that no code has it."""
    calls = parse_layers(entry)
    if calls:
        return [_class(call.name) for call in calls]
    called = _CALLED.match(entry)
    if called:
        return [called[1]]
    return [entry]


def _settings(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    stated = plan.hyperparameters
    optimizer = canonical_optimizer(stated.optimizer)
    if optimizer:
        yield _equal("optimizer", facts.optimizer, optimizer)
    loss = canonical_loss(stated.loss)
    if loss:
        if facts.loss != loss and {facts.loss, loss} == _CROSSENTROPIES:
            yield _Finding(1.0, f"loss {facts.loss}, the plan says {loss}: the same, with labels encoded otherwise")
        else:
            yield _equal("loss", facts.loss, loss)
    if stated.learning_rate is not None:
        yield _equal("learning rate", _learning_rate(facts), stated.learning_rate)
    if stated.batch_size is not None:
        yield _equal("batch size", facts.batch_size or DEFAULT_BATCH_SIZE, stated.batch_size)
    if stated.epochs is not None:
        yield _equal("epochs", facts.epochs or DEFAULT_EPOCHS, stated.epochs)
    metric = canonical_metric(stated.metric)
    if metric:
        accepted = frozenset({metric})
        if metric in _ACCURACIES:
            # Keras picks the accuracy that fits the loss, so the names say the same.
            accepted = _ACCURACIES
        if accepted & set(facts.metrics):
            yield _Finding(1.0)
        else:
            yield _deviating("metric", ", ".join(facts.metrics), metric)


def _learning_rate(facts: CodeFacts) -> float | None:
    """The code's learning rate, or its optimizer's own; None without an optimizer."""
    if facts.learning_rate:
        return facts.learning_rate
    if not facts.optimizer:
        return None
    return DEFAULT_LEARNING_RATE.get(facts.optimizer, OTHER_LEARNING_RATE)


def _input_shape(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    """Kept where any of the shapes that the plan states fits the code's. Shapes
    without a known size say nothing."""
    stated = [shape for shape in shapes_in(plan.dataset.input) if any(shape)]
    in_code = facts.input_shape
    if not stated or in_code is None or not any(in_code):
        return
    if any(_same_shape(in_code, shape) for shape in stated):
        yield _Finding(1.0)
    else:
        yield _deviating("input shape", _shown(in_code), _shown(stated[0]))


def _layers(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    planned: list[str] = []
    for entry in plan.layers:
        planned += layer_classes(entry)
    planned = _compared_layers(planned)
    built = _compared_layers([_class(layer.name) for layer in facts.layers])
    if not planned:
        return
    if not any(map(_augments, planned)):
        built = [name for name in built if not _augments(name)]
    common = longest_common_subsequence(planned, built)
    kept = 2 * len(common) / (len(planned) + len(built))
    if kept == 1:
        yield _Finding(1.0, weight=LAYERS_WEIGHT)
        return
    deviation = f"{len(built)} layers, the plan has {len(planned)}"
    missing = Counter(planned) - Counter(common)
    if missing:
        deviation += f"; without {_counted(missing)}"
    further = Counter(built) - Counter(common)
    if further:
        deviation += f"; also {_counted(further)}"
    yield _Finding(kept, deviation, LAYERS_WEIGHT)


def _compared_layers(names: Sequence[str]) -> list[str]:
    """The first _LONGEST layers without `Input`, which code may as well leave to
    the first real layer."""
    return [name for name in names if name != "Input"][:_LONGEST]


def _augments(name: str) -> bool:
    """RandomFlip and its kin: part of the preprocessing, unless the plan lists them
    among its layers."""
    return name.startswith("Random")


def _class(name: str) -> str:
    """The Keras 3 class behind an alias or a former name; a name that Keras does
    not know as it is."""
    return canonical_layer(layer_named(name) or name)


def _output_units(facts: CodeFacts, plan: SolutionPlan) -> Iterator[_Finding]:
    planned = _last_units(plan.layers)
    built = _last_units([layer.text for layer in facts.layers])
    if planned is not None and built is not None:
        yield _equal("units of the last layer", built, planned)


def _last_units(layers: Sequence[str]) -> int | None:
    """The units or filters of the last layer that has any; None where its text does not state the number, as of
    `Dense(len(classes))`: an earlier layer's is none of the output. `parse_layer` fills in what is left open."""
    for text in reversed(layers):
        call = parse_layer(text)
        if call is None:
            if _MAY_HAVE_UNITS.search(text):
                return None
            continue
        wrapped = call.arguments.get("layer")
        if isinstance(wrapped, LayerCall):
            call = wrapped
        units = call.arguments.get("units", call.arguments.get("filters"))
        if units is None and call.name not in _WITH_UNITS:
            continue
        if isinstance(units, int) and re.search(rf"\b{units}\b", text):
            return units
        return None
    return None


def _equal(what: str, in_code: str | float | None, planned: str | float) -> _Finding:
    """Kept where both are equal, numbers to within a thousandth."""
    if isinstance(planned, str) or in_code is None or isinstance(in_code, str):
        kept = in_code == planned
    else:
        kept = math.isclose(in_code, planned, rel_tol=1e-3)
    if kept:
        return _Finding(1.0)
    return _deviating(what, in_code, planned)


def _deviating(what: str, in_code: str | float | None, planned: str | float) -> _Finding:
    in_words = f"{what} {in_code}" if in_code else f"no {what}"
    return _Finding(0.0, f"{in_words}, the plan says {planned}")


def _same_shape(in_code: Sequence[int | None], stated: Sequence[int | None]) -> bool:
    """Equal rank, and no axis on which both are known and differ."""
    if len(in_code) != len(stated):
        return False
    for size, stated_size in zip(in_code, stated, strict=True):
        both_known = size is not None and stated_size is not None
        if both_known and size != stated_size:
            return False
    return True


def _shown(shape: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def _counted(names: Counter[str]) -> str:
    phrases = []
    for name, count in names.items():
        phrases.append(name if count == 1 else f"{count} {name}")
    return ", ".join(phrases)


def longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """One of the longest sequences that both contain in this order, not necessarily
    side by side."""
    # lengths[i][j] is the length for left[i:] and right[j:], which needs those further right.
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        row, below = lengths[i], lengths[i + 1]
        for j in reversed(range(len(right))):
            if left[i] == right[j]:
                row[j] = below[j + 1] + 1
            else:
                row[j] = max(below[j], row[j + 1])
    # Then read from the start; where both ways lead to the same length, `left` moves on first.
    common = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            common.append(left[i])
            i += 1
            j += 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return common
