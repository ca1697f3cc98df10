"""Two plans of one notebook, one read from the code and one answered by a model: what differs, and what is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from corpus_build.records import Confidence, Disagreement
from pipeline.measures.conformance import layer_classes, longest_common_subsequence
from pipeline.plan.dataset_facts import shapes_in
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.plan.vocabulary import canonical_category, canonical_loss, canonical_metric, canonical_optimizer

STATED_OUTRIGHT = 0.8
"""Confidence from which the code's word is taken against a model's."""

LAYERS_ALIKE = 0.8
"""Share of the layer types two plans have in common, in order, from which their layers count as the same."""

_FIELDS: dict[str, Callable[[SolutionPlan], object]] = {
    "task_category": lambda plan: canonical_category(plan.task_category) if plan.task_category else "",
    "input": lambda plan: shapes_in(plan.dataset.input) or plan.dataset.input,
    "output": lambda plan: shapes_in(plan.dataset.output) or plan.dataset.output,
    "preprocess": lambda plan: plan.preprocess,
    "layers": lambda plan: tuple(name for entry in plan.layers for name in layer_classes(entry) if name != "Input"),
    "optimizer": lambda plan: canonical_optimizer(plan.hyperparameters.optimizer) or plan.hyperparameters.optimizer,
    "loss": lambda plan: canonical_loss(plan.hyperparameters.loss) or plan.hyperparameters.loss,
    "learning_rate": lambda plan: plan.hyperparameters.learning_rate,
    "batch_size": lambda plan: plan.hyperparameters.batch_size,
    "epochs": lambda plan: plan.hyperparameters.epochs,
    "metric": lambda plan: canonical_metric(plan.hyperparameters.metric) or plan.hyperparameters.metric,
}
_COMPARED = ("layers", "optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric", "input")


def known_fields(plan: SolutionPlan) -> set[str]:
    """The fields of which the plan says something."""
    return {name for name, read in _FIELDS.items() if read(plan)}


def disagreements(static: SolutionPlan, confidence: Confidence, answered: SolutionPlan) -> tuple[Disagreement, ...]:
    """The fields that the code states outright and of which the answer says something else."""
    found = []
    for name in _COMPARED:
        read = _FIELDS[name]
        ours, theirs = read(static), read(answered)
        if getattr(confidence, name) >= STATED_OUTRIGHT and theirs and not _same(ours, theirs):
            found.append(Disagreement(field=name, static=_shown(ours), answered=_shown(theirs), taken="static"))
    return tuple(found)


def merged(answers: Sequence[tuple[str, str, SolutionPlan]]) -> tuple[str, str, SolutionPlan]:
    """The answers about the parts of a notebook as one: of each field the first word, layers one after the other."""
    requirement = next((answer[0] for answer in answers if answer[0]), "")
    attributes = next((answer[1] for answer in answers if answer[1]), "")
    plan = answers[0][2]
    for _, _, other in answers[1:]:
        plan = with_answer(plan, other, known_fields(other) - known_fields(plan))
        if other.layers and plan.layers != other.layers:
            layers = (*plan.layers, *(layer for layer in other.layers if layer not in plan.layers))
            plan = plan.model_copy(update={"architecture": plan.architecture.model_copy(update={"layers": layers})})
    return requirement, attributes, plan


def with_answer(plan: SolutionPlan, answered: SolutionPlan, fields: Collection[str]) -> SolutionPlan:
    """The plan, with the answer's word in these fields."""

    def chosen(name: str) -> SolutionPlan:
        return answered if name in fields else plan

    return SolutionPlan(
        task_category=chosen("task_category").task_category,
        dataset=DatasetShape(input=chosen("input").dataset.input, output=chosen("output").dataset.output),
        preprocess=chosen("preprocess").preprocess,
        architecture=ModelArchitecture(
            layers=chosen("layers").layers,
            hyperparameters=Hyperparameters(
                optimizer=chosen("optimizer").hyperparameters.optimizer,
                loss=chosen("loss").hyperparameters.loss,
                learning_rate=chosen("learning_rate").hyperparameters.learning_rate,
                batch_size=chosen("batch_size").hyperparameters.batch_size,
                epochs=chosen("epochs").hyperparameters.epochs,
                metric=chosen("metric").hyperparameters.metric,
            ),
        ),
    )


def _same(ours: object, theirs: object) -> bool:
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        common = len(longest_common_subsequence(list(map(str, ours)), list(map(str, theirs))))
        return 2 * common >= LAYERS_ALIKE * (len(ours) + len(theirs))
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-3)
    return str(ours).lower() == str(theirs).lower()


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
