"""The rows that scored files of code become: a corpus a row, a pair a row, and what sets methods apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean
from typing import Any, NamedTuple

from jobs.published import OURS
from pipeline.score.code_outputs import CodeScores
from pipeline.score.codebleu import CodeBleu
from pipeline.score.statistics import holm, mean_and_standard_error, paired_bootstrap, paired_permutation_test

BASELINES = "Baselines"
"""What stands for a table where candidates are copied from the sample pool; they belong to no model."""


class Name(NamedTuple):
    """Where candidates belong: a table (or BASELINES), a model ("" for a baseline), a method."""

    table: str
    model: str
    method: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRow:
    """A file of outputs, or a baseline, under a protocol. CodeBLEU and its parts are over the corpus, in percent;
    `equal_length_codebleu` with candidate and reference cut to one length, `mean_item_codebleu` the mean of the pairs'
    own values. `asked` references, of which `measured` pairs within CodeBLEU's limits. `standard_error` of `codebleu`
    over seeds, for what is drawn at random."""

    table: str
    model: str
    method: str
    protocol: str
    asked: int
    measured: int
    ngram_match: float
    weighted_ngram_match: float
    syntax_match: float
    dataflow_match: float
    codebleu: float
    equal_length_codebleu: float
    length_ratio: float
    mean_item_codebleu: float
    standard_error: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeItem:
    """One pair under a protocol: CodeBLEU and its parts in percent, None beyond the limits; `item` counts from 0."""

    table: str
    model: str
    method: str
    protocol: str
    item: int
    codebleu: float | None
    ngram_match: float | None
    weighted_ngram_match: float | None
    syntax_match: float | None
    dataflow_match: float | None
    length_ratio: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Mean difference of the items' CodeBLEU in points, `method` less `against`, with its 95 % paired bootstrap
    interval, the p-value of a paired permutation test, and that value after Holm's correction over all comparisons
    with one method under one protocol. `items`: pairs measured for both."""

    table: str
    model: str
    protocol: str
    method: str
    against: str
    items: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str


def code_rows(protocol: str, scored: Mapping[Name, CodeScores]) -> Iterator[CodeRow]:
    """A row for each file of which at least one pair could be measured."""
    for name, scores in scored.items():
        if scores.corpus is not None and scores.equal_length is not None:
            parts = _parts(scores.corpus)
            yield CodeRow(
                **name._asdict(),
                protocol=protocol,
                asked=len(scores.items),
                measured=scores.measured,
                **parts,
                equal_length_codebleu=100 * scores.equal_length.codebleu,
                length_ratio=scores.length_ratio,
                mean_item_codebleu=100 * fmean(item.codebleu for item in scores.items if item is not None),
            )


def mean_over_seeds(method: str, rows: Sequence[CodeRow]) -> CodeRow:
    """One row for several draws: means, and the standard error of the corpus CodeBLEU."""
    means: dict[str, Any] = {
        field.name: fmean(getattr(row, field.name) for row in rows)
        for field in fields(CodeRow)
        if field.type == "float"
    }
    error = mean_and_standard_error([row.codebleu for row in rows])[1]
    return replace(rows[0], method=method, standard_error=error, **means)


def code_items(protocol: str, scored: Mapping[Name, CodeScores]) -> Iterator[CodeItem]:
    for name, scores in scored.items():
        for number, (item, ratio) in enumerate(zip(scores.items, scores.item_length_ratios, strict=True)):
            parts = _parts(item) if item else dict.fromkeys(_PARTS)
            yield CodeItem(**name._asdict(), protocol=protocol, item=number, length_ratio=ratio, **parts)


def comparisons(protocol: str, scored: Mapping[Name, CodeScores]) -> Iterator[Comparison]:
    """Each model's other methods, and the baselines, against the paper's method with that model."""
    for ours, our_scores in scored.items():
        if ours.method == OURS:
            rivals = [name for name in scored if name != ours and name.model in (ours.model, "")]
            yield from _against(protocol, ours, our_scores, {name: scored[name] for name in rivals})


def _against(
    protocol: str, ours: Name, our_scores: CodeScores, rivals: Mapping[Name, CodeScores]
) -> Iterator[Comparison]:
    pairs = {name: _measured_in_both(scores, our_scores) for name, scores in rivals.items()}
    pairs = {name: both for name, both in pairs.items() if both[0]}
    p_values = {name: paired_permutation_test(*both) for name, both in pairs.items()}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    for name, both in pairs.items():
        interval = paired_bootstrap(*both)
        noise = not interval.excludes_zero or adjusted[name] >= 0.05
        yield Comparison(
            table=name.table,
            model=ours.model,
            protocol=protocol,
            method=name.method,
            against=ours.method,
            items=len(both[0]),
            difference=interval.estimate,
            low=interval.low,
            high=interval.high,
            p=p_values[name],
            p_holm=adjusted[name],
            verdict="within noise" if noise else ("higher" if interval.estimate > 0 else "lower"),
        )


def _measured_in_both(first: CodeScores, second: CodeScores) -> tuple[list[float], list[float]]:
    """Both methods' CodeBLEU in percent for the items that were measured for both."""
    both = [
        (100 * one.codebleu, 100 * other.codebleu)
        for one, other in zip(first.items, second.items, strict=True)
        if one is not None and other is not None
    ]
    return [one for one, _ in both], [other for _, other in both]


_PARTS = tuple(field.name for field in fields(CodeBleu))


def _parts(found: CodeBleu) -> dict[str, Any]:
    """CodeBLEU and its parts in percent, by name."""
    return {part: 100 * getattr(found, part) for part in _PARTS}
