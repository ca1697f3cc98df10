"""What is read as a whole: a problem told by what is counted, each thing once, at its first place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.request.constraints import Constraint
from pipeline.request.reading.found import Written
from pipeline.request.reading.problem.named import first_prediction
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_WEAK_AUGMENTATION = frozenset("shift contrast brightness jitter noise zoom rotation flip crop blur".split())
"""Words that mean an augmentation only beside others that do."""


def by_what_is_counted(
    constraints: list[Constraint], pieces: list[Piece], stances: Sequence[Stance]
) -> Constraint | None:
    """The problem where only numbers and names tell it: a horizon is forecast, classes are told apart."""
    for names, problem in ((("horizon",), "forecasting"), (("count", "name"), "classification")):
        for told in constraints:
            if told.name not in names or told.negated:
                continue
            start, end = told.start, told.end
            predicts = first_prediction(pieces, stances)
            if predicts is not None:
                start, end = pieces[predicts].start, pieces[predicts].end
            return Constraint(aspect="task", name="problem", value=problem, start=start, end=end, source=told.source)
    return None


def flagged(constraints: list[Constraint]) -> list[Constraint]:
    """An autoencoder whose errors are held against a threshold looks for what is unusual."""
    for told in constraints:
        if told.name in ("threshold_percentile", "threshold_deviations", "threshold") and not told.negated:
            return [replace(told, aspect="task", name="problem", value="anomaly_detection")]
    return []


_SHOWS_TABLE = 3
"""Columns that have to be named before a word in one of them tells no kind of data."""


def _is_kind_of_column(constraint: Constraint, item: Written) -> bool:
    """Whether a column holds what the word in its name says: a photo, a text."""
    whole = item.end - item.start == constraint.end - constraint.start
    return constraint.value in ("text", "image") and (whole or item.value.lower().endswith(("_text", "_image")))


def is_of_name(constraint: Constraint, named: list[Written]) -> bool:
    """Whether what was read is a word of a class's or a column's name: the grey of "gray leaf spot"."""
    is_hint = constraint.name == "kind" and sum(item.name == "column" for item in named) >= _SHOWS_TABLE
    if constraint.aspect not in ("size", "training", "architecture", "metric", "output") and not is_hint:
        return False
    for item in named:
        # Of a column that is called "text" or "photo" the kind is told, of "sms_reminder" and "hum" it is not.
        if is_hint and (item.name not in ("column", "target") or _is_kind_of_column(constraint, item)):
            continue
        if item.aspect in ("classes", "files") and item.start <= constraint.start and constraint.end <= item.end:
            return True
    return False


_OF_ROWS = frozenset(("classification", "regression"))


def rows_of_table(text: str, constraints: list[Constraint]) -> list[Constraint]:
    """Rows with named columns that are told apart or valued one by one are a table, however often one is written."""
    names = [one.name for one in constraints]
    problems = {one.value for one in constraints if one.name == "problem" and not one.negated}
    if names.count("column") < _SHOWS_TABLE or {"length", "horizon", "sample_rate"} & {*names} or not problems:
        return constraints
    if not problems <= _OF_ROWS or any(one.value in _AS_STEPS for one in constraints):
        return constraints
    results = []
    for one in constraints:
        is_rhythm = (one.name, one.value) == ("kind", "series") and "series" not in one.words(text).lower()
        results.append(replace(one, value="table") if is_rhythm else one)
    return results


_AS_STEPS = frozenset("lstm gru bilstm bigru rnn tcn cnn_1d convlstm transformer".split())
"""Networks that take steps in time."""


def looking_ahead(constraints: list[Constraint]) -> list[Constraint]:
    """An amount over the next steps is a forecast: "how many will we sell on each of the next 7 days"."""
    if not any(one.name == "horizon" for one in constraints):
        return constraints
    results = []
    for one in constraints:
        is_amount = (one.name, one.value, one.negated) == ("problem", "regression", False)
        results.append(replace(one, value="forecasting") if is_amount else one)
    return results


def resolved(constraints: list[Constraint]) -> tuple[Constraint, ...]:
    """Each thing once, at its first place; a bare "augmentation" or "dropout" goes where kinds or a rate are named."""
    first: dict[tuple[object, ...], Constraint] = {}
    for one in sorted(constraints, key=_place):
        first.setdefault((one.aspect, one.name, one.value, one.subject, one.negated), one)
    said = {(one.name, one.negated) for one in first.values() if one.value != "true"}
    asked = {(one.name, one.value) for one in first.values() if not one.negated}
    augmentations = [one for one in constraints if one.name == "augmentation"]
    watched = [(one.start, one.end) for one in constraints if one.name == "monitor"]
    denoises = ("problem", "reconstruction") in asked
    results = []
    for one in first.values():
        is_bare = one.value == "true" and (one.name, one.negated) in said
        is_stray = one.name == "augmentation" and _is_stray(one, augmentations)
        # "PyTorch (no torch_geometric)" forbids a library of it.
        is_contradicted = one.negated and one.name == "framework" and (one.name, one.value) in asked
        is_task = denoises and (one.name, one.value) == ("augmentation", "noise")  # the noise that is to be removed
        is_watched = one.name == "metric" and any(start < one.start and one.end <= end for start, end in watched)
        # "Frozen for 3 epochs and then unfrozen" is said by the epochs.
        is_released = one.name == "frozen" and one.negated and any(name == "frozen_epochs" for name, _ in asked)
        if not (is_bare or is_stray or is_contradicted or is_task or is_watched or is_released):
            results.append(one)
    return tuple(results)


def _place(constraint: Constraint) -> tuple[int, int]:
    return constraint.start, constraint.end


def _is_stray(one: Constraint, augmentations: list[Constraint]) -> bool:
    """Whether a common word that can mean an augmentation ("shift", "contrast") stands alone."""
    if one.value not in _WEAK_AUGMENTATION or one.value == "flip" or one.end - one.start > 10:
        return False
    strong = any(other.value not in _WEAK_AUGMENTATION for other in augmentations)
    beside = {other.value for other in augmentations if abs(other.start - one.start) < 80}
    return not strong and len(beside) < 2
