"""Planners' answers against known plans as tables: Table IV and Fig. 4 under protocol P,
companions, and differences.

An answer is a raw line as the published files have them: an object that repeats the prompt and
holds the plan as `Code Plan`. So one code measures planners of ours and files of predictions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from pipeline.comparison.plan_columns import COLUMNS
from pipeline.comparison.verdict import paired_differences
from pipeline.measures.plan_metrics import (
    PlanScores,
    corpus_bleu,
    mean_scores,
    plan_part,
    read_predicted,
    score_plan,
)

ALL = "all"
NOT_NEAR = "not nearly known"
"""The rows whose requirement is not (nearly) among the known plans'."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerResult:
    """One column of one planner. Percent, but edits, errors and shares as they are."""

    planner: str
    column: str
    rows: int
    published: float | None
    """Table IV or Fig. 4 as printed."""
    on_all_rows: float | None
    """Protocol P over all 400 rows, where measured."""
    reproduced: float | None
    """Protocol P over the `rows` here."""
    subset: str = ALL


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanComparison:
    """How far a planner is from another in one column, on the same rows."""

    planner: str
    against: str
    column: str
    rows: int
    """Those in which both have the measure."""
    difference: float
    """The mean."""
    low: float
    """With `high`: the 95 % paired bootstrap interval."""
    high: float
    p: float
    """Of a paired permutation test."""
    p_holm: float
    """After Holm's correction over all comparisons with that other planner in the subset."""
    verdict: str
    """"better" or "worse" where the interval excludes zero and the corrected p is
    below 0.05, else "within noise"."""
    subset: str = ALL


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanItem:
    """One plan's score in one column."""

    planner: str
    row: int
    """Counts from 0."""
    column: str
    value: float | None
    """None where the measure does not apply."""


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """One answer against the known line."""

    scores: PlanScores
    lenient: bool
    """Whether the answer holds a plan, read leniently."""
    strict: bool
    """Whether it is JSON as it stands."""
    predicted: str
    known: str


Published = Mapping[str, Mapping[str, float]]
"""By planner, values by column."""


def score_lines(predicted: Sequence[str], known: Sequence[str]) -> list[ScoredLine]:
    """A planner's raw lines against those of the known plans; known lines without a
    plan are passed over."""
    scored = []
    for line, known_line in zip(predicted, known, strict=True):
        answer = read_predicted(line)
        known_plan = read_predicted(known_line).plan
        if known_plan is not None:
            scores = score_plan(answer.plan, known_plan)
            scored.append(ScoredLine(scores, answer.plan is not None, answer.is_json, line, known_line))
    return scored


def planner_results(
    planner: str,
    lines: Sequence[ScoredLine],
    *,
    published: Published | None = None,
    on_all_rows: Published | None = None,
    subset: str = ALL,
) -> Iterator[PlannerResult]:
    """Every column of a planner: Table IV, companions, BLEU over whole lines and
    over the plans in them, validity."""
    printed = (published or {}).get(planner, {})
    on_all = (on_all_rows or {}).get(planner, {})
    values = asdict(mean_scores([line.scores for line in lines]))
    count = values.pop("rows")
    predicted = [line.predicted for line in lines]
    known = [line.known for line in lines]
    values["line_bleu"] = corpus_bleu(predicted, known)
    predicted_plans = [plan_part(text) for text in predicted]
    known_plans = [plan_part(text) for text in known]
    values["plan_bleu"] = corpus_bleu(predicted_plans, known_plans)
    lenient = sum(line.lenient for line in lines)
    strict = sum(line.strict for line in lines)
    values["validity_lenient"] = 100 * lenient / count
    values["validity_strict"] = 100 * strict / count
    for column, value in values.items():
        yield PlannerResult(
            planner=planner,
            column=column,
            rows=count,
            published=printed.get(column),
            on_all_rows=on_all.get(column),
            reproduced=None if math.isnan(value) else value,
            subset=subset,
        )


def plan_items(planner: str, lines: Sequence[ScoredLine]) -> Iterator[PlanItem]:
    for row, line in enumerate(lines):
        for column in _SCORE_COLUMNS:
            value = getattr(line.scores, column)
            if value is not None:
                value = float(value)  # a match is a bool: 1.0 or 0.0
            yield PlanItem(planner=planner, row=row, column=column, value=value)


def plan_comparisons(
    scored: Mapping[str, Sequence[ScoredLine]], against: str, *, subset: str = ALL
) -> Iterator[PlanComparison]:
    """Every planner but `against` compared with it, column by column."""
    if against not in scored:
        return
    names = []
    pairings = []
    for planner, lines in scored.items():
        if planner == against:
            continue
        for column in _SCORE_COLUMNS:
            values, other_values = _paired(column, lines, scored[against])
            if values:
                names.append((planner, column))
                pairings.append((values, other_values))
    differences = paired_differences(pairings)
    for (planner, column), (values, _), difference in zip(names, pairings, differences, strict=True):
        positive, negative = "better", "worse"
        if COLUMNS[column].lower_is_better:
            positive, negative = negative, positive
        yield PlanComparison(
            planner=planner,
            against=against,
            column=column,
            rows=len(values),
            difference=difference.interval.estimate,
            low=difference.interval.low,
            high=difference.interval.high,
            p=difference.p,
            p_holm=difference.p_holm,
            verdict=difference.verdict(positive=positive, negative=negative),
            subset=subset,
        )


def _paired(
    column: str, lines: Sequence[ScoredLine], other_lines: Sequence[ScoredLine]
) -> tuple[list[float], list[float]]:
    """The values of two planners in the rows in which both have one; matches in percent."""
    values = []
    other_values = []
    for line, other_line in zip(lines, other_lines, strict=True):
        value = getattr(line.scores, column)
        other_value = getattr(other_line.scores, column)
        if value is not None and other_value is not None:
            is_match = isinstance(other_value, bool)
            scale = 100.0 if is_match else 1.0
            values.append(scale * value)
            other_values.append(scale * other_value)
    return values, other_values


_SCORE_COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(PlanScores) if field.name != "compared")
"""The columns that a single plan has."""
