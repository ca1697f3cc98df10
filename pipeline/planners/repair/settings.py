"""Training settings and metrics that the request states, in the place of predicted ones."""

from __future__ import annotations

import re

from pipeline.plan.fields import NUMBER_FIELDS
from pipeline.plan.vocabulary import canonical_loss, canonical_metric, canonical_optimizer
from pipeline.planners.repair.asked import Asked
from pipeline.planners.repair.draft import PlanDraft

_ACCURACIES = frozenset({"binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"})


def keep_settings(draft: PlanDraft, asked: Asked) -> None:
    """Optimizer, learning rate, batch size, epochs, loss and metrics as they are asked for."""
    optimizer = asked.first("optimizer")
    if optimizer:
        wanted = canonical_optimizer(optimizer) or optimizer
        if canonical_optimizer(draft.values["optimizer"]) != wanted:
            draft.set("optimizer", wanted, f"asked: optimizer {optimizer}")
    for field in NUMBER_FIELDS:
        number = getattr(asked.facts, field.name)
        if number:
            draft.set(field.name, number, f"asked: {field.name} {number}")
    _keep_loss(draft, asked)
    _keep_metrics(draft, asked)


def _keep_loss(draft: PlanDraft, asked: Asked) -> None:
    """A bare "cross-entropy" is asked for in any of its forms."""
    loss = asked.first("loss")
    if not loss or (loss == "crossentropy" and "cross" in draft.values["loss"].lower()):
        return
    wanted = canonical_loss(loss) or loss
    if canonical_loss(draft.values["loss"]) != wanted:
        draft.set("loss", wanted, f"asked: loss {loss}")


def _keep_metrics(draft: PlanDraft, asked: Asked) -> None:
    metrics = asked.values("metric")
    known = [canonical_metric(metric) or metric for metric in metrics]
    wanted = ", ".join(dict.fromkeys(known))
    if not wanted:
        return
    # A plan that names them all may name more, in its own words.
    said = {_kind(canonical_metric(part)) for part in re.split(r",|;|/| and ", draft.values["metric"])}
    if not {_kind(metric) for metric in known} <= said:
        draft.set("metric", wanted, f"asked: metric {', '.join(metrics)}")


def _kind(metric: str) -> str:
    """The metric; accuracy is one thing, whatever the labels look like to Keras."""
    return "accuracy" if metric in _ACCURACIES else metric
