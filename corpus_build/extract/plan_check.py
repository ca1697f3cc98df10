"""Two plans of one notebook, one read from the code and one answered by a model: what differs, and what is taken."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from corpus_build.records import Confidence, Disagreement
from pipeline.measures.conformance import layer_classes, longest_common_subsequence
from pipeline.plan.dataset_facts import shapes_in
from pipeline.plan.fields import FIELD, FIELD_NAMES, FIELDS, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category, canonical_loss, canonical_metric, canonical_optimizer

STATED_OUTRIGHT = 0.8
"""Confidence from which the code's word is taken against a model's."""

LAYERS_ALIKE = 0.8
"""Share of the layer types two plans have in common, in order, from which their layers count as the same."""

_CANONICAL = {"optimizer": canonical_optimizer, "loss": canonical_loss, "metric": canonical_metric}
_COMPARED = ("layers", "optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric", "input")


class PlanAnswer(NamedTuple):
    """What a language model says of a notebook, or of a part of it; "" where it says nothing."""

    requirement: str
    attributes: str
    plan: SolutionPlan


def known_fields(plan: SolutionPlan) -> set[str]:
    """The fields of which the plan says something."""
    return {name for name in FIELD_NAMES if _comparable(plan, name)}


def disagreements(static: SolutionPlan, confidence: Confidence, answered: SolutionPlan) -> tuple[Disagreement, ...]:
    """The fields that the code states outright and of which the answer says something else."""
    differing: list[Disagreement] = []
    for name in _COMPARED:
        if getattr(confidence, name) < STATED_OUTRIGHT:
            continue
        ours, theirs = _comparable(static, name), _comparable(answered, name)
        if theirs and not _same(ours, theirs):
            differing.append(Disagreement(field=name, static=_shown(ours), answered=_shown(theirs), taken="static"))
    return tuple(differing)


def merged(answers: Sequence[PlanAnswer]) -> PlanAnswer:
    """The answers about the parts of a notebook as one: of each field the first word, layers one after the other."""
    requirement, attributes, plan = answers[0]
    for answer in answers[1:]:
        requirement = requirement or answer.requirement
        attributes = attributes or answer.attributes
        other = answer.plan
        plan = with_answer(plan, other, known_fields(other) - known_fields(plan))
        if other.layers and plan.layers != other.layers:
            further = [layer for layer in other.layers if layer not in plan.layers]
            architecture = plan.architecture.model_copy(update={"layers": (*plan.layers, *further)})
            plan = plan.model_copy(update={"architecture": architecture})
    return PlanAnswer(requirement, attributes, plan)


def with_answer(plan: SolutionPlan, answered: SolutionPlan, fields: Collection[str]) -> SolutionPlan:
    """The plan, with the answer's word in these fields."""
    values: dict[str, object] = {}
    for field in FIELDS:
        source = answered if field.name in fields else plan
        values[field.name] = field.of(source)
    return plan_of(values)


def _comparable(plan: SolutionPlan, name: str) -> object:
    """A field's value in the form in which two plans are compared: one spelling, shapes for texts that have them."""
    value = FIELD[name].of(plan)
    if name == "task_category":
        return canonical_category(value) if value else ""
    if name in ("input", "output"):
        return shapes_in(value) or value
    if name == "layers":
        classes: list[str] = []
        for text in value:
            classes += layer_classes(text)
        return tuple(name for name in classes if name != "Input")
    if name in _CANONICAL:
        return _CANONICAL[name](value) or value
    return value


def _same(ours: object, theirs: object) -> bool:
    """Layers by their common types in order, numbers to a thousandth, texts but for their case."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        common = len(longest_common_subsequence(list(map(str, ours)), list(map(str, theirs))))
        return 2 * common >= LAYERS_ALIKE * (len(ours) + len(theirs))
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-3)
    return str(ours).lower() == str(theirs).lower()


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)
