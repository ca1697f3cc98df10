"""What a request asks for beside what was observed: the constraints that a run can show."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.execution.keeping.layers import says_same, sized
from pipeline.execution.ladder import RuntimeCheck, RuntimeOutcome
from pipeline.execution.losses import canonical, same_loss
from pipeline.execution.observation import ObservedNetwork, ObservedTraining
from pipeline.measures.delivery.findings import as_number, numbers_in, plain
from pipeline.plan.vocabulary import canonical_loss
from pipeline.request.constraints import Constraint


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the checks look at."""

    training: ObservedTraining
    network: ObservedNetwork | None
    epochs: int | None
    """How many were wanted; None where that is not known."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """None for `is_met` where it was not seen."""

    is_met: bool | None
    observed: str = ""


_UNSEEN = _Answer(None)


def requested_checks(
    training: ObservedTraining, network: ObservedNetwork | None, constraints: Sequence[Constraint], epochs: int | None
) -> list[RuntimeCheck]:
    """One check for each constraint, in their order; what a run does not show is `not_observable`."""
    seen = _Seen(training, network, epochs)
    checks: list[RuntimeCheck] = []
    for constraint in constraints:
        check = _CHECKS.get((constraint.aspect, constraint.name))
        # A subject names one of several networks, inputs or outputs; which of the observed ones it is, is not known.
        answer = check(constraint.value, seen) if check is not None and not constraint.subject else _UNSEEN
        outcome: RuntimeOutcome = "not_observable"
        if answer.is_met is not None:
            outcome = "met" if answer.is_met != constraint.negated else "not_met"
        wanted = f"not {constraint.value}" if constraint.negated else constraint.value
        observed = answer.observed or ("not seen" if check is not None else "no run shows it")
        checks.append(
            RuntimeCheck(source="request", name=constraint.name, wanted=wanted, observed=observed, outcome=outcome)
        )
    return checks


def _number(wanted: str, observed: float | None) -> _Answer:
    number = as_number(wanted)
    if number is None or observed is None:
        return _UNSEEN
    return _Answer(says_same(observed, number), f"{observed:g}")


def _optimizer(wanted: str, seen: _Seen) -> _Answer:
    observed = seen.training.optimizer
    return _Answer(plain(observed) == plain(wanted), observed) if observed else _UNSEEN


def _learning_rate(wanted: str, seen: _Seen) -> _Answer:
    return _number(wanted, seen.training.learning_rate)


def _batch_size(wanted: str, seen: _Seen) -> _Answer:
    return _number(wanted, seen.training.batch_size)


def _epochs(wanted: str, seen: _Seen) -> _Answer:
    return _number(wanted, seen.epochs)


def _loss(wanted: str, seen: _Seen) -> _Answer:
    asked, observed = canonical_loss(wanted), canonical(seen.training.loss)
    if wanted == "crossentropy" and observed:
        return _Answer("crossentropy" in observed, observed)
    if not asked or not observed:
        return _UNSEEN
    return _Answer(same_loss(observed, asked), observed)


def _dropout(wanted: str, seen: _Seen) -> _Answer:
    """A rate, or that there is any; in PyTorch it may be a function, which is not seen."""
    if seen.network is None:
        return _UNSEEN
    rates: list[float] = []
    for prefix in ("Dropout", "SpatialDropout", "GaussianDropout", "AlphaDropout"):
        rates += sized(seen.network, prefix, "rate", "p")
    for prefix in ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "TransformerEncoder", "MultiHeadAttention"):
        rates += [rate for rate in sized(seen.network, prefix, "dropout") if rate]
    if not rates and seen.network.framework == "torch":
        return _UNSEEN
    number = as_number(wanted)
    shown = _listed(rates) or "none"
    if number is None:
        return _Answer(bool(rates), shown)
    return _Answer(any(says_same(rate, number) for rate in rates), shown)


def _sizes(prefix: str, *names: str) -> Callable[[str, _Seen], _Answer]:
    """Of layers whose class begins with the prefix: one number that any of them has, or several in this order."""

    def check(wanted: str, seen: _Seen) -> _Answer:
        if seen.network is None:
            return _UNSEEN
        values = sized(seen.network, prefix, *names)
        numbers = numbers_in(wanted)
        if not values or not numbers:
            return _UNSEEN
        following = iter(values)
        in_order = all(any(says_same(value, number) for value in following) for number in numbers)
        return _Answer(in_order, _listed(values))

    return check


def _classes(wanted: str, seen: _Seen) -> _Answer:
    """By the last axis of the output; one output tells two classes apart."""
    outputs = _shape(seen.network.output_shape) if seen.network is not None else ()
    if not outputs or outputs[-1] is None:
        last = sized(seen.network, "Dense", "units", "out_features")[-1:] if seen.network is not None else []
        size = int(last[0]) if last else None
    else:
        size = outputs[-1]
    if size == 1 and as_number(wanted) == 2:
        return _Answer(True, "1 output")
    answer = _number(wanted, size)
    # Heatmaps, tokens and several heads have outputs of other meanings, so only a network for classes can break it.
    if answer.is_met is False and "crossentropy" not in canonical(seen.training.loss):
        return _UNSEEN
    return answer


def _axis(rank: int, position: int) -> Callable[[str, _Seen], _Answer]:
    """An axis of the input, where the input has that many besides the batch."""

    def check(wanted: str, seen: _Seen) -> _Answer:
        shape = _shape(seen.network.input_shape) if seen.network is not None else ()
        if len(shape) != rank + 1:
            return _UNSEEN
        return _number(wanted, shape[position])

    return check


def _shape(text: str) -> tuple[int | None, ...]:
    """Of one input or output: "(None, 28, 28, 1)"; () for several, and for what is no shape."""
    try:
        shape = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return ()
    if isinstance(shape, tuple) and all(axis is None or type(axis) is int for axis in shape):
        return shape
    return ()


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values[:12])


_CHECKS: dict[tuple[str, str], Callable[[str, _Seen], _Answer]] = {
    ("training", "optimizer"): _optimizer,
    ("training", "learning_rate"): _learning_rate,
    ("training", "batch_size"): _batch_size,
    ("training", "epochs"): _epochs,
    ("training", "loss"): _loss,
    ("training", "dropout"): _dropout,
    ("architecture", "filters"): _sizes("Conv", "filters", "out_channels"),
    ("architecture", "heads"): _sizes("MultiHeadAttention", "num_heads"),
    ("architecture", "embedding"): _sizes("Embedding", "output_dim", "embedding_dim"),
    ("classes", "count"): _classes,
    ("size", "height"): _axis(3, 1),
    ("size", "width"): _axis(3, 2),
    ("size", "channels"): _axis(3, 3),
}
"""By aspect and name."""
