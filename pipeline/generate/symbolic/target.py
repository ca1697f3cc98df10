"""What a generated project has to be: the plan's statements as values that code can be adapted to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.foreign_text import visible
from pipeline.generate.own_training import training_of
from pipeline.plan.dataset_facts import DatasetFacts, read_facts
from pipeline.plan.shapes import CLASSIFICATION, plan_facts
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract
from pipeline.request.stated_facts import stated_facts
from pipeline.retrieval.coverage import OTHER_MODELS
from pipeline.retrieval.sample_pool import Sample
from pipeline.retrieval.wanted import wanted_of

LABELLED = CLASSIFICATION | {"Image Segmentation"}
"""Categories whose labels can be encoded in three ways, and whose output layer follows from that."""

NUMBER_LOSSES = frozenset(
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error huber "
    "log_cosh".split()
)
"""Keras' losses that measure how far a number is off."""

_COLUMN_LOSSES = frozenset({"binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge"})
"""Losses for a single output: with two classes, the labels are one number."""

_MASK_LOSSES = frozenset({"dice", "tversky"})
"""Losses of segmentation; with two classes, they too take one channel."""

_LONGEST_TITLE = 400
"""Characters of a requirement in the first cell: some lines of prose, not a page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The plan's values. Names are canonical Keras names; None or "" where the plan leaves something open."""

    title: str
    """The first cell's prose."""

    category: str
    facts: DatasetFacts
    optimizer: str
    loss: str
    metric: str
    learning_rate: float | None
    batch_size: int | None
    epochs: int | None

    labels: str
    """The form of the labels: "sparse" (class numbers), "one_hot" or "column" (one 0/1 number); ""
    where the category has no labels of this kind."""

    layers: tuple[str, ...]
    """The plan's layers, as it writes them."""

    counted: tuple[tuple[str, int], ...] = ()
    """Constants that the project counts in the user's own data when it runs, with what they come to."""

    asked: tuple[Constraint, ...] = ()
    """What constants of the model and its training are set to; empty for samples that declare nothing of themselves."""

    @property
    def activation(self) -> str:
        """The output layer's activation that goes with the labels."""
        binary = self.labels == "column" or self.loss.startswith("binary")
        return "sigmoid" if binary and self.labels != "sparse" else "softmax"


@lru_cache(maxsize=16)  # drafting and comparing a row ask for the same target
def target_of(
    plan: SolutionPlan,
    requirement: str,
    attributes: str,
    constraints: tuple[Constraint, ...] = (),
    data: DataContract | None = None,
) -> Target:
    """The target for a plan. What the plan does not say about the data is looked up in what the user states."""
    plan = plan.canonical()
    category = plan.task_category
    stated = stated_facts(constraints, data).otherwise(read_facts(f"{requirement}\n{attributes}"))
    facts = plan_facts(plan, category, stated)
    hyper = plan.hyperparameters
    return Target(
        title=_title(requirement),
        category=category,
        facts=facts,
        optimizer=hyper.optimizer,
        loss=hyper.loss,
        metric=hyper.metric,
        learning_rate=hyper.learning_rate,
        batch_size=hyper.batch_size,
        epochs=hyper.epochs,
        labels=_label_form(category, hyper.loss, facts.classes),
        layers=plan.layers,
    )


def for_other_task(target: Target) -> Target:
    """The target for a sample of another task category: the sizes and training settings alone.

    The sample's data, labels, loss and output go together; those of the plan's task would not fit them.
    """
    note = (
        "Adapted from a project of another task: the sample pool holds none of this one. Check data, labels and loss."
    )
    return replace(target, title=f"{target.title}\n\n{note}", category="", loss="", metric="", labels="", layers=())


def for_own_data(target: Target, category: str, contract: DataContract) -> Target:
    """The target for data of the user's own: `category` is the one of the sample that reads them, and classes and
    channels are theirs. A plan of another category does not fit them: its layers and its loss are left out."""
    classes = contract.targets[0].classes if contract.targets else None
    channels = target.facts.channels
    for data_input in contract.inputs:
        if data_input.kind == "image" and len(data_input.shape) == 3:
            channels = data_input.shape[2] or channels
    facts = replace(target.facts, classes=classes or target.facts.classes, channels=channels)
    if target.category != category:
        target = replace(target, loss="", metric="", layers=())
    # The form of the labels goes with the loss: where the sample's own loss stays, so does its form.
    labels = _label_form(category, target.loss, facts.classes) if target.loss else ""
    counts = {
        "NUM_CLASSES": facts.classes,
        "NUM_TARGETS": len(contract.targets),
        "NUM_FEATURES": contract.inputs[-1].shape[-1] if contract.inputs[-1].shape else None,
    }
    return replace(
        target,
        category=category,
        facts=facts,
        labels=labels,
        counted=tuple((name, count) for name, count in counts.items() if count),
    )


_COUNTED = {"NUM_CLASSES": 3, "NUM_FEATURES": 8, "NUM_TARGETS": 1}
"""What a project counts in its data when it runs, with a count to trace shapes by where none is stated."""


_OTHER_TARGETS = frozenset({"multi_output", "keypoints"})
"""Variants whose loss is of another form than that of one number."""


def for_sample(
    target: Target, sample: Sample, constraints: tuple[Constraint, ...], *, has_own_data: bool = False
) -> Target:
    """The target for a sample that declares what it is an example of.

    It has been retrieved for what was asked, so that it is no project of another task where its category is another
    than the plan's. Its own loss and layers stay where the plan's do not suit it: in another category, for several
    labels, outputs or inputs, and where the form of the labels cannot be changed.
    """
    cell = sample.cell()
    requested = tuple(one for one in constraints if one.source == "requirement")
    target = replace(target, facts=stated_facts(requested).otherwise(target.facts))
    training = training_of(target.optimizer, target.batch_size, target.epochs, constraints)
    target = replace(
        target,
        optimizer=training.optimizer,
        learning_rate=training.learning_rate,
        # Those of the plan are for as many examples as the row's own data have (own_training).
        batch_size=target.batch_size if has_own_data else training.batch_size,
        epochs=target.epochs if has_own_data else training.epochs,
    )
    category = canonical_category(sample.plan.task_category if sample.plan else "")
    wanted = wanted_of(constraints, None)
    if wanted.problems and not wanted.problems.intersection(cell.problems):
        target = for_other_task(target)
    elif target.category != category or OTHER_MODELS.intersection(cell.variants):
        keeps_loss = "regression" in cell.problems and not _OTHER_TARGETS.intersection(cell.variants)
        loss = target.loss if keeps_loss and any(one.name == "loss" for one in constraints) else ""
        target = replace(target, category=category, loss=loss, metric="", labels="", layers=())
    elif cell.backbones:  # frozen, prepared for and fine-tuned as one: a list of layers says nothing of that
        target = replace(target, layers=())
    if _is_for_one_output(target, sample, constraints):
        target = replace(target, labels="column", loss="binary_crossentropy")
    if target.labels and category in LABELLED and not _can_change_labels(sample, target.labels):
        target = replace(target, loss="", metric="", labels="", layers=())
    counts = {"NUM_CLASSES": target.facts.classes, "NUM_FEATURES": target.facts.features}
    counted = target.counted or tuple((name, counts.get(name) or count) for name, count in _COUNTED.items())
    return replace(target, counted=counted, asked=constraints)


def _is_for_one_output(target: Target, sample: Sample, constraints: Sequence[Constraint]) -> bool:
    """Whether two classes are told by one output: a binary output is asked for, or the sample has one, whose scores and
    thresholds are of that column, and nothing else is asked for."""
    if target.facts.classes != 2 or target.labels not in ("one_hot", "sparse"):
        return False
    if any(one.name in ("loss", "output_activation") for one in constraints):
        return False
    is_asked = any((one.name, one.value, one.negated) == ("variant", "binary", False) for one in constraints)
    return is_asked or _ONE_COLUMN in sample.code


_ONE_COLUMN = 'return np.asarray(labels, dtype="float32").reshape(-1, 1)'
"""How a sample with one output encodes its labels (docs/starter.md)."""


def _can_change_labels(sample: Sample, labels: str) -> bool:
    """Whether labels stand in a function that is exchanged, no metric or loss is for one form alone, and there can be
    as few classes as their form is for."""
    own_losses = re.findall(r"^def (\w+)\(", sample.code, re.MULTILINE)
    if "CategoricalAccuracy(" in sample.code or any(f"loss={name}," in sample.code for name in own_losses):
        return False
    encodes = "def encode_labels(" in sample.code or "def encode_masks(" in sample.code
    return encodes and (labels != "column" or "class_names" in sample.constants.values())


def _label_form(category: str, loss: str, classes: int | None) -> str:
    if category not in LABELLED:
        return ""
    if loss.startswith("sparse"):
        return "sparse"
    if classes == 2 and loss in _COLUMN_LOSSES | _MASK_LOSSES:
        return "column"
    return "one_hot"


def _title(requirement: str) -> str:
    """The requirement as one line of prose for the first cell."""
    text = visible(" ".join(requirement.split()))
    if len(text) <= _LONGEST_TITLE:
        return text
    return text[: _LONGEST_TITLE - 3] + "..."
