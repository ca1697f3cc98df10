"""Whether a network is better than what takes none.

What the project says of itself on held-out data decides, where it says so. Else what was observed is set beside the
best constant prediction of the same targets: accuracy beside the share of the commonest class, a loss beside what a
constant comes to (crossentropy: the entropy of the targets; squared error: their variance; absolute error: the mean
distance to their median). Validation figures come before those of training, which a network can reach by heart: the
evidence says which it was. A margin keeps chance out: an accuracy has to lie two standard errors above, a loss five
percent below.

Not measurable: a network trained by a loss of its own, by weighted or summed losses, against another network (GAN), or
on targets that were not seen. What generates is measured where it is trained to predict: a language model by the
crossentropy of its next token, an autoencoder by its error beside that of the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.execution.held_out import HeldOut
from pipeline.execution.ladder import Rung, RungEvidence, RungOutcome
from pipeline.execution.losses import canonical
from pipeline.execution.observation import Observation, ObservedTraining, TargetSummary

_STANDARD_ERRORS = 2.0
_LOSS_MARGIN = 0.05

_ACCURACIES = ("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A figure of the network beside that of the best constant."""

    name: str
    value: float
    constant: float
    """What the best constant prediction comes to."""
    beaten: bool

    def words(self) -> str:
        return f"{self.name} {self.value:.4g} against {self.constant:.4g} of the best constant prediction"


def learning(observation: Observation, held_out: HeldOut | None) -> RungEvidence:
    """The evidence for `learns`."""
    if held_out is not None:
        outcome: RungOutcome = "reached" if held_out.beats_baseline else "failed"
        seen = f"held-out {held_out.metric} {held_out.value:g} against {held_out.baseline:g} ({held_out.baseline_name})"
        return _evidence(outcome, seen)
    training = _measured_training(observation)
    if isinstance(training, str):
        return _evidence("not_measurable", training)
    logs = _plain_names(training.epoch_logs[-1] if training.epoch_logs else {})
    if not logs and training.last_loss is not None:
        logs = {"loss": training.last_loss}
    if not logs:
        return _evidence("not_measurable", "no loss or metric was seen")
    if any(math.isnan(value) for name, value in logs.items() if name.endswith("loss")):
        return _evidence("failed", "the loss is not a number")
    on_validation = _comparisons(training, logs, "val_", training.validation_targets or training.targets)
    on_training = _comparisons(training, logs, "", training.targets)
    comparisons = on_validation or on_training
    if not comparisons:
        return _evidence("not_measurable", _why_not(training))
    for comparison in comparisons:
        if comparison.beaten:
            return _evidence("reached", comparison.words())
    return _evidence("failed", comparisons[0].words())


def _plain_names(logs: Mapping[str, float]) -> Mapping[str, float]:
    """As Keras names them: Lightning's modules often say `train_loss` and `valid_loss`."""
    named: dict[str, float] = {}
    for name, value in logs.items():
        named[name.removeprefix("train_").replace("valid_", "val_")] = value
    return named


def _evidence(outcome: RungOutcome, seen: str) -> RungEvidence:
    return RungEvidence(rung=Rung.LEARNS, outcome=outcome, seen=seen)


def _measured_training(observation: Observation) -> ObservedTraining | str:
    """The training that is measured, the last one that took steps; or why there is none."""
    trainings = [training for training in observation.trainings if training.steps]
    if not trainings:
        return "nothing was trained"
    in_loops = {training.network for training in trainings if training.by != "fit"}
    if len(in_loops) > 1:
        return "several networks are trained in turn; no criterion for them"
    return trainings[-1]


def _comparisons(
    training: ObservedTraining, logs: Mapping[str, float], prefix: str, targets: TargetSummary | None
) -> list[_Comparison]:
    if targets is None:
        return []
    comparisons: list[_Comparison] = []
    loss = canonical(training.loss)
    majority = targets.majority
    if loss == "binary_crossentropy" and targets.binary_majority is not None:
        majority = targets.binary_majority
    for name in _ACCURACIES:
        value = logs.get(prefix + name)
        if value is not None and majority is not None:
            error = math.sqrt(majority * (1 - majority) / max(targets.count, 1))
            where = "validation accuracy" if prefix else "accuracy on the training data"
            comparisons.append(_Comparison(where, value, majority, value > majority + _STANDARD_ERRORS * error))
            break
    value = logs.get(prefix + "loss")
    constant = _constant_loss(loss, targets)
    if value is not None and constant is not None and constant > 0 and not training.weighted:
        where = f"validation {loss}" if prefix else f"{loss} on the training data"
        comparisons.append(_Comparison(where, value, constant, value < constant * (1 - _LOSS_MARGIN)))
    return comparisons


def _constant_loss(loss: str, targets: TargetSummary) -> float | None:
    """What the best constant prediction comes to under this loss; None for a loss of which it is not known."""
    if loss in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        return targets.entropy
    if loss == "binary_crossentropy":
        return targets.binary_entropy
    if loss == "mean_squared_error":
        return targets.variance
    if loss == "mean_absolute_error":
        return targets.deviation
    return None


def _why_not(training: ObservedTraining) -> str:
    if training.targets is None:
        return "the targets were not seen"
    if training.weighted:
        return "the loss is weighted, summed or of several parts"
    if canonical(training.loss):
        return f"no constant is known to compare {canonical(training.loss)} with"
    return "the loss is the project's own"
