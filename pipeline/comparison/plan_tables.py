"""Planners' answers against known plans as tables: Table IV and Fig. 4 under protocol P, companions, and differences.

An answer is a raw line as the published files have them: an object that repeats the prompt and holds the plan as `Code
Plan`. So one code measures planners of ours and files of predictions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

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

LOWER_IS_BETTER = frozenset(
    "layers_distance learning_rate_error batch_size_error epochs_error learning_rate_decades layer_count_error".split()
)
TABLE_IV = (
    "task_category",
    "input_bleu",
    "output_bleu",
    "layers_distance",
    "learning_rate_error",
    "loss",
    "optimizer",
    "batch_size_error",
    "epochs_error",
    "metric",
)
"""The paper's columns, in its order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow:
    """One column of one planner, over the rows of a `subset`. `published`: Table IV or Fig. 4; `on_all_rows`: protocol
    P over all 400 rows, where measured; `reproduced`: protocol P over the `rows` here. Percent, but edits, errors and
    shares as they are."""

    planner: str
    column: str
    rows: int
    published: float | None
    on_all_rows: float | None
    reproduced: float | None
    subset: str = ALL


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanComparison:
    """Mean difference of a planner from another on the same rows, with its 95 % paired bootstrap interval, and the
    p-value of a paired permutation test before and after Holm's correction over all comparisons with that other one in
    the subset. `rows`: those in which both have the measure. `verdict`: "better" or "worse" where the interval excludes
    zero and the corrected p is below 0.05, else "within noise"."""

    planner: str
    against: str
    column: str
    rows: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str
    subset: str = ALL


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanItem:
    """One plan's score in one column; None where the measure does not apply. `row` counts from 0."""

    planner: str
    row: int
    column: str
    value: float | None


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """One answer: its scores, whether it holds a plan, read leniently, and whether it is JSON as it stands; and the
    answer itself beside the known line."""

    scores: PlanScores
    lenient: bool
    strict: bool
    predicted: str
    known: str


Published = Mapping[str, Mapping[str, float]]
"""By planner, values by column."""


def score_lines(predicted: Sequence[str], known: Sequence[str]) -> list[ScoredLine]:
    """A planner's raw lines against those of the known plans; known lines without a plan are passed over."""
    found = []
    for line, wanted in zip(predicted, known, strict=True):
        plan, gold = read_predicted(line), read_predicted(wanted).plan
        if gold is not None:
            scores = score_plan(plan.plan, gold)
            found.append(ScoredLine(scores, plan.plan is not None, plan.is_json, line, wanted))
    return found


def plan_rows(
    planner: str,
    lines: Sequence[ScoredLine],
    *,
    published: Published | None = None,
    on_all_rows: Published | None = None,
    subset: str = ALL,
) -> Iterator[PlanRow]:
    """Every column of a planner: Table IV, companions, validity, BLEU over whole lines and over the plans in them."""
    printed, on_all = (source.get(planner, {}) if source else {} for source in (published, on_all_rows))
    values = asdict(mean_scores([line.scores for line in lines]))
    count = values.pop("rows")
    predicted, known = [line.predicted for line in lines], [line.known for line in lines]
    values["line_bleu"] = corpus_bleu(predicted, known)
    values["plan_bleu"] = corpus_bleu(list(map(plan_part, predicted)), list(map(plan_part, known)))
    values["validity_lenient"] = 100 * sum(line.lenient for line in lines) / count
    values["validity_strict"] = 100 * sum(line.strict for line in lines) / count
    for column, value in values.items():
        yield PlanRow(
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
        for column in _numbers(line.scores):
            value = getattr(line.scores, column)
            yield PlanItem(planner=planner, row=row, column=column, value=None if value is None else float(value))


def plan_comparisons(
    scored: Mapping[str, Sequence[ScoredLine]], against: str, *, subset: str = ALL
) -> Iterator[PlanComparison]:
    """Every planner but `against` compared with it, column by column."""
    if against not in scored:
        return
    theirs = [line.scores for line in scored[against]]
    found = []
    for planner, lines in scored.items():
        for column in _numbers(theirs[0]) if planner != against else ():
            scale = 100.0 if isinstance(getattr(theirs[0], column), bool) else 1.0
            pairs = [
                (scale * first, scale * second)
                for line, other in zip((line.scores for line in lines), theirs, strict=True)
                if (first := getattr(line, column)) is not None and (second := getattr(other, column)) is not None
            ]
            if pairs:
                found.append((planner, column, [one for one, _ in pairs], [other for _, other in pairs]))
    differences = paired_differences([(one, other) for _, _, one, other in found])
    for (planner, column, one, _), difference in zip(found, differences, strict=True):
        words = ("worse", "better") if column in LOWER_IS_BETTER else ("better", "worse")
        yield PlanComparison(
            planner=planner,
            against=against,
            column=column,
            rows=len(one),
            difference=difference.interval.estimate,
            low=difference.interval.low,
            high=difference.interval.high,
            p=difference.p,
            p_holm=difference.p_holm,
            verdict=difference.verdict(positive=words[0], negative=words[1]),
            subset=subset,
        )


def _numbers(score: PlanScores) -> list[str]:
    return [field.name for field in fields(score) if field.name != "compared"]
