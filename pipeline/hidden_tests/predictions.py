"""Reading `predictions.csv`, which a program of unknown worth wrote. Every way in which it is wrong has a name."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd

from pipeline.errors import StageFailure
from pipeline.hidden_tests.draw import Array
from pipeline.hidden_tests.task import AnswerKind, TaskData

MOST_BYTES = 4 << 20
"""The largest file that is read; the predictions of every task take a tenth of it."""

_MISSING = ("", "nan", "none", "null", "na")
"""What programs write, in small letters, where they have no value."""

_WHOLE = re.compile(r"(-?\d+)\.0+")
"""A class or id that a column with a missing cell turned into a float: `3.0` is `3`."""


def read(text: str, data: TaskData, kind: AnswerKind) -> Array:
    """The predictions in the order of the answers, an example a row: texts (label), numbers of shape (n,) or (n, k)
    (score, numbers, labels), lists of tags, or booleans of shape (n, height * width) (mask).

    Raises StageFailure with the kind of what is wrong.
    """
    table = _table(text)
    _check_columns(table, data)
    rows = _in_order(table, data)
    columns = [rows[target] for target in data.targets]
    # A class may be called "none". A mask may be empty, and its cell is then.
    words = [] if kind == "mask" else [word for word in _MISSING if word not in classes_of(data, kind)]
    for column in columns:
        missing = column.str.strip().str.lower().isin(words)
        if missing.any():
            first = rows[data.id_column][missing].iloc[0]
            raise StageFailure("missing_values", f"{int(missing.sum())} rows without a value, first for {first!r}")
    if kind == "label":
        return _labels(columns[0], data)
    if kind == "tags":
        return _tags(columns[0], data)
    if kind == "mask":
        assert data.sizes is not None
        return np.array([mask_of(runs, data.sizes[0] * data.sizes[1]) for runs in columns[0]])
    numbers = np.column_stack([_numbers(column) for column in columns])
    if kind == "labels" and not np.isin(numbers, (0, 1)).all():
        raise StageFailure("not_a_flag", "labels are 0 or 1, and other numbers stand there")
    return numbers[:, 0] if numbers.shape[1] == 1 else numbers


def classes_of(data: TaskData, kind: AnswerKind) -> list[str]:
    """The classes or tags that the training examples have, in order; none where the answers are numbers or masks."""
    answers = data.train_answers[data.targets[0]].astype(str)
    if kind == "label":
        return sorted({_plain(answer) for answer in answers})
    if kind == "tags":
        return sorted({tag for answer in answers for tag in answer.split()})
    return []


def truth(data: TaskData, kind: AnswerKind) -> Array:
    """The answers in the form of `read`."""
    return read(data.answers.to_csv(index=False), data, kind)


def _table(text: str) -> pd.DataFrame:
    if len(text) > MOST_BYTES:
        raise StageFailure("predictions_too_large", f"predictions.csv has more than {MOST_BYTES >> 20} MB")
    if not text.strip():
        raise StageFailure("empty_predictions", "predictions.csv is empty")
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
    except (ValueError, pd.errors.ParserError, OverflowError) as error:
        raise StageFailure("unreadable_predictions", f"predictions.csv is no table: {error}") from error
    return table.rename(columns=lambda name: str(name).strip())


def _check_columns(table: pd.DataFrame, data: TaskData) -> None:
    wanted = [data.id_column, *data.targets]
    missing = [name for name in wanted if name not in table]
    extra = [name for name in table if name not in wanted]
    if missing:
        raise StageFailure("missing_columns", f"no column {', '.join(missing)}; there are {', '.join(table)[:200]}")
    if extra:
        raise StageFailure("extra_columns", f"columns that nobody asked for: {', '.join(extra)[:200]}")


def _in_order(table: pd.DataFrame, data: TaskData) -> pd.DataFrame:
    """The rows in the order of the answers. Raises where ids are there twice, missing or unknown."""
    name = data.id_column
    table = table.assign(**{name: [_plain(value) for value in table[name]]})
    wanted = [_plain(str(value)) for value in data.answers[name]]
    twice = table[name][table[name].duplicated()]
    if len(twice):
        raise StageFailure("duplicate_ids", f"{len(twice)} rows repeat an id, first {twice.iloc[0]!r}")
    unknown = table[name][~table[name].isin(wanted)]
    if len(unknown):
        raise StageFailure("unknown_ids", f"{len(unknown)} rows with ids that were not asked for: {unknown.iloc[0]!r}")
    if len(table) < len(wanted):
        raise StageFailure("missing_rows", f"{len(wanted) - len(table)} of {len(wanted)} rows are missing")
    return table.set_index(name).loc[wanted].reset_index()


def _plain(value: str) -> str:
    value = value.strip()
    whole = _WHOLE.fullmatch(value)
    return whole[1] if whole else value


def _labels(column: pd.Series, data: TaskData) -> Array:
    labels = np.array([_plain(value) for value in column])
    known = classes_of(data, "label")
    unknown = sorted(set(labels) - set(known))
    if unknown:
        raise StageFailure("unknown_class", f"{unknown[0]!r} is no class; they are {', '.join(known)[:200]}")
    return labels


def _numbers(column: pd.Series) -> Array:
    numbers: Array = pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64")
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise StageFailure(
            "not_a_number", f"{int(wrong.sum())} values are no finite numbers: {column[wrong].iloc[0]!r}"
        )
    return numbers


def _tags(column: pd.Series, data: TaskData) -> Array:
    """Lists of tags, as many to a sentence as the answer has."""
    tags = np.empty(len(column), dtype=object)
    for number, (written, answer) in enumerate(zip(column, data.answers[data.targets[0]], strict=True)):
        tags[number] = written.split()
        if len(tags[number]) != len(str(answer).split()):
            raise StageFailure("wrong_length", f"{len(tags[number])} tags for {len(str(answer).split())} tokens")
    return tags


def mask_of(runs: str, pixels: int) -> Array:
    """The pixels of a mask, row by row, from its runs: first pixel (from 1) and length of each, between blanks."""
    try:
        numbers = [int(word) for word in runs.split()]
    except ValueError:
        raise StageFailure("not_a_mask", f"runs of a mask are whole numbers: {runs[:60]!r}") from None
    if len(numbers) % 2:
        raise StageFailure("not_a_mask", "runs of a mask are pairs of first pixel and length")
    mask = np.zeros(pixels, dtype=bool)
    for first, length in zip(numbers[::2], numbers[1::2], strict=True):
        if first < 1 or length < 1 or first + length - 1 > pixels:
            raise StageFailure("not_a_mask", f"a run of {length} from pixel {first} leaves an image of {pixels} pixels")
        mask[first - 1 : first - 1 + length] = True
    return mask


def runs_of(mask: Array) -> str:
    """The other way round."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.ravel().astype(int), [0]))))
    return " ".join(f"{start + 1} {end - start}" for start, end in zip(edges[::2], edges[1::2], strict=True))
