"""Adds to a finished script what is asked for and missing.

Each part is tried, and kept where the look-up (docs/delivery.md) then finds what is asked for and nothing else is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.analysis.names import names_never_defined
from pipeline.analysis.parsing import compiles
from pipeline.generate.parts import extras, model, results, training
from pipeline.generate.parts.backbone import backbone
from pipeline.generate.parts.family import family
from pipeline.generate.parts.inputs import frozen, representation, scaling
from pipeline.generate.parts.keras import fitting, network, schedules
from pipeline.generate.parts.script import Script
from pipeline.generate.parts.shown import scores
from pipeline.generate.parts.stacks import stacked
from pipeline.generate.parts.torch import fitting as torch_fitting
from pipeline.generate.parts.torch import mixing
from pipeline.generate.parts.torch import model as torch_model
from pipeline.generate.parts.torch import network as torch_network
from pipeline.generate.parts.torch import results as torch_results
from pipeline.generate.parts.torch import training as torch_training
from pipeline.measures.delivery.check import check_delivery
from pipeline.request.constraints import Constraint
from pipeline.request.delivery import Delivery
from pipeline.torch.facts import imports_torch

Part = Callable[[Script, Constraint], Script | None]
"""The script with what the constraint asks for; None where it is no script that this can be added to."""


def first_of(*parts: Part) -> Part:
    """The first of several parts that can do what is asked."""

    def part(script: Script, constraint: Constraint) -> Script | None:
        for one in parts:
            changed = one(script, constraint)
            if changed is not None:
                return changed
        return None

    return part


PARTS: dict[tuple[str, str], Part] = {
    ("architecture", "backbone"): backbone,
    ("architecture", "frozen"): frozen,
    ("architecture", "family"): family,
    ("architecture", "activation"): model.activation,
    ("architecture", "units"): stacked,
    ("architecture", "recurrent_layers"): stacked,
    ("architecture", "filters"): network.convolutions,
    ("architecture", "conv_blocks"): network.convolutions,
    ("architecture", "conv_layers"): network.convolutions,
    ("architecture", "kernel_size"): network.kernels,
    ("architecture", "pooling"): network.pooling,
    ("architecture", "normalization"): network.batch_normalization,
    ("data", "representation"): representation,
    ("training", "scaling"): scaling,
    ("training", "loss"): first_of(training.one_of_two, training.of_reconstructions, fitting.focal_loss),
    ("training", "early_stopping"): training.early_stopping,
    ("training", "patience"): training.early_stopping,
    ("training", "checkpoint"): training.checkpoint,
    ("training", "schedule"): schedules.schedule,
    ("training", "gradient_clipping"): training.optimizer_argument,
    ("training", "weight_decay"): training.optimizer_argument,
    ("training", "momentum"): training.optimizer_argument,
    ("training", "mixed_precision"): training.mixed_precision,
    ("training", "class_weights"): training.class_weights,
    ("training", "seed"): training.seed,
    ("training", "dropout"): model.dropout,
    ("training", "l1"): model.penalty,
    ("training", "l2"): model.penalty,
    ("training", "augmentation"): model.augmentation,
    ("metric", "metric"): results.metric,
    ("metric", "per"): scores.per,
    ("output", "threshold"): scores.threshold,
    ("output", "plot"): results.plot,
    ("output", "report"): results.report,
    ("output", "model_file"): results.model_file,
    ("output", "predictions_file"): first_of(extras.predictions_file, results.predictions_file),
    ("output", "export"): extras.exported,
    ("training", "oversampling"): fitting.oversampling,
    ("training", "shuffle"): fitting.no_shuffling,
    ("training", "gradient_accumulation"): fitting.gradient_accumulation,
    ("training", "ema"): fitting.averaged_weights,
    ("training", "beta_1"): fitting.beta_1,
    ("training", "frozen_epochs"): fitting.frozen_epochs,
    ("training", "monitor"): fitting.monitor,
    ("training", "warmup_epochs"): schedules.schedule_setting,
    ("training", "decay_factor"): schedules.schedule_setting,
    ("training", "decay_every"): schedules.schedule_setting,
    ("training", "plateau_patience"): schedules.schedule_setting,
    ("training", "label_smoothing"): fitting.label_smoothing,
    ("training", "focal_gamma"): fitting.focal_gamma,
    ("training", "nesterov"): extras.nesterov,
    ("output", "log_file"): extras.log,
    ("output", "log"): extras.log,
    ("output", "threshold_deviations"): extras.deviations,
}
"""By aspect and name, in the order they are added: others look at the loss by its name, which smoothing takes away.
What is forbidden is left out by the same part, where it has a way to (`dropout`)."""

TORCH_PARTS: dict[tuple[str, str], Part] = {
    ("architecture", "family"): family,
    ("architecture", "activation"): model.activation,
    ("architecture", "units"): stacked,
    ("architecture", "recurrent_layers"): stacked,
    ("architecture", "kernel_size"): torch_network.kernels,
    ("architecture", "pooling"): torch_network.pooling,
    ("architecture", "normalization"): torch_network.batch_normalization,
    ("data", "representation"): representation,
    ("training", "scaling"): scaling,
    ("training", "loss"): first_of(training.one_of_two, torch_fitting.focal_loss),
    ("training", "early_stopping"): torch_training.early_stopping,
    ("training", "patience"): torch_training.early_stopping,
    ("training", "schedule"): torch_training.schedule,
    ("training", "gradient_clipping"): torch_training.gradient_clipping,
    ("training", "weight_decay"): torch_training.optimizer_argument,
    ("training", "l2"): torch_training.optimizer_argument,
    ("training", "momentum"): torch_training.optimizer_argument,
    ("training", "augmentation"): first_of(
        torch_model.augmentation, mixing.mixup, mixing.cutout, mixing.masked_spectrogram
    ),
    ("training", "mixed_precision"): torch_training.mixed_precision,
    ("training", "class_weights"): torch_training.class_weights,
    ("training", "label_smoothing"): torch_training.label_smoothing,
    ("training", "seed"): torch_training.seed,
    ("training", "dropout"): torch_model.dropout,
    ("metric", "metric"): scores.metric,
    ("metric", "per"): scores.per,
    ("output", "threshold"): scores.threshold,
    ("output", "plot"): torch_results.plot,
    ("output", "report"): torch_results.report,
    ("output", "model_file"): torch_results.model_file,
    ("output", "predictions_file"): extras.predictions_file,
    ("output", "export"): extras.exported,
    ("training", "oversampling"): torch_fitting.oversampling,
    ("training", "shuffle"): torch_fitting.no_shuffling,
    ("training", "gradient_accumulation"): torch_fitting.gradient_accumulation,
    ("training", "ema"): torch_fitting.averaged_weights,
    ("training", "beta_1"): torch_fitting.beta_1,
    ("training", "monitor"): torch_fitting.monitor,
    ("training", "warmup_epochs"): torch_fitting.schedule_setting,
    ("training", "decay_factor"): torch_fitting.schedule_setting,
    ("training", "decay_every"): torch_fitting.schedule_setting,
    ("training", "plateau_patience"): torch_fitting.schedule_setting,
    ("training", "focal_gamma"): torch_fitting.focal_gamma,
    ("training", "nesterov"): extras.nesterov,
    ("output", "log_file"): extras.log,
    ("output", "log"): extras.log,
    ("output", "threshold_deviations"): extras.deviations,
}
"""The same for scripts in PyTorch: what is changed inside a batch comes before what wraps it."""

_CAN_LEAVE_OUT = frozenset({"dropout", "shuffle"})


def with_parts(source: str, constraints: Iterable[Constraint], requirement: str = "") -> str:
    """The source with the parts for constraints that it does not meet; of "LSTM or GRU" one is enough.

    A part that leaves the constraint unmet, breaks another one, or leaves a name undefined is not kept; scripts of
    other frameworks stay as they are."""
    constraints = tuple(constraints)
    parts = TORCH_PARTS if imports_torch(source) else PARTS
    if not any(_has_part(constraint, parts) for constraint in constraints):
        return source
    delivery = check_delivery(constraints, source, requirement=requirement)
    missing = [check.constraint for check in delivery.not_met if _has_part(check.constraint, parts)]
    missing += _in_both_directions(constraints, source)
    order = list(parts)
    missing.sort(key=lambda one: order.index((one.aspect, one.name)))
    # As a rule all parts go together, and one look-up says so; else each is tried by itself.
    together, kept = source, list[Constraint]()
    for constraint in missing:
        changed = _changed(together, parts, constraint)
        if changed is not None:
            together = changed.source
            kept.append(constraint)
    if len(kept) > 1:
        changed = Script(together)
        after = check_delivery(constraints, together, requirement=requirement)
        if _is_better(Script(source), delivery, changed, after, kept):
            return together
    for constraint in missing:
        changed = _changed(source, parts, constraint)
        if changed is None:
            continue
        after = check_delivery(constraints, changed.source, requirement=requirement)
        if _is_better(Script(source), delivery, changed, after, [constraint]):
            source, delivery = changed.source, after
    return source


def _changed(source: str, parts: Mapping[tuple[str, str], Part], constraint: Constraint) -> Script | None:
    try:
        return parts[constraint.aspect, constraint.name](Script(source), constraint)
    except SyntaxError:  # an edit of an unusual form; the script stays as it is
        return None


def _in_both_directions(constraints: Sequence[Constraint], source: str) -> list[Constraint]:
    """What asks for a recurrent network in one direction, of a script with one in both: that counts as met."""
    if "Bidirectional(" not in source and "bidirectional=True" not in source:
        return []
    families = [one for one in constraints if one.name == "family" and not one.negated]
    if {"bilstm", "bigru", "encoder_decoder"}.intersection(one.value for one in families):
        return []
    return [one for one in families if one.value in ("lstm", "gru", "rnn")]


def _has_part(constraint: Constraint, parts: Mapping[tuple[str, str], Part]) -> bool:
    if constraint.negated and constraint.name not in _CAN_LEAVE_OUT:
        return False
    return (constraint.aspect, constraint.name) in parts


def _is_better(before: Script, was: Delivery, after: Script, now: Delivery, added: Sequence[Constraint]) -> bool:
    unmet = {check.constraint for check in now.not_met}
    if not unmet.isdisjoint(added) or unmet - {check.constraint for check in was.not_met}:
        return False
    if not compiles(after.tree):
        return False
    return not set(names_never_defined(after.tree)) - set(names_never_defined(before.tree))
