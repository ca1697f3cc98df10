"""Table IV and Fig. 4 from the released predictions: protocol P, on the rows of Test.txt that a checkout holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from jobs.parallel import in_parallel
from jobs.published import PredictionFile, Published
from pipeline.score.plan_metrics import (
    PlanScores,
    corpus_bleu,
    mean_scores,
    plan_part,
    read_predicted,
    score_plan,
)
from pipeline.score.statistics import holm, paired_bootstrap, paired_permutation_test
from pipeline.storage import exists, join, read_bytes

KNOWN = "Datasets/DLPlanData/Test.txt"
OUR_PLANNER = "GPT-2-Large_Beam"
NO_PLAN = "no plan at all"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow:
    """One column of one planner. `published`: Table IV or Fig. 4; `on_all_rows`: protocol P over all 400 rows, where
    measured; `reproduced`: protocol P over the `rows` here. Percent, but edits, errors and shares as they are."""

    planner: str
    column: str
    rows: int
    published: float | None
    on_all_rows: float | None
    reproduced: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanComparison:
    """Mean difference of a planner from the paper's (GPT-2-large with beams) on the same rows, with its 95 % paired
    bootstrap interval, and the p-value of a paired permutation test before and after Holm's correction over all
    comparisons. `rows`: those in which both have the measure."""

    planner: str
    against: str
    column: str
    rows: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanItem:
    """One plan's score in one column; None where the measure does not apply. `row` counts from 0."""

    planner: str
    row: int
    column: str
    value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanTables:
    """`unusable`: prediction files without a line for each row, in words."""

    rows: tuple[PlanRow, ...]
    items: tuple[PlanItem, ...]
    comparisons: tuple[PlanComparison, ...]
    unusable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Scored:
    scores: tuple[PlanScores, ...]
    lenient: float
    strict: float
    line_bleu: float
    plan_bleu: float


def plan_tables(root: str, files: Sequence[PredictionFile], published: Published, *, quiet: bool = False) -> PlanTables:
    """Every planner's columns, companions and validity. Needs an initialised Ray."""
    if not exists(join(root, KNOWN)):
        return PlanTables(rows=(), items=(), comparisons=(), unusable=(f"Table IV, Fig. 4: no {KNOWN}",))
    known = read_lines(join(root, KNOWN))
    lines, unusable = {NO_PLAN: ["{}"] * len(known)}, []
    for file in files:
        found = read_lines(file.path)
        if len(found) == len(known):
            lines[file.planner] = found
        else:
            unusable.append(f"{file.path}: {len(found)} predictions for {len(known)} rows")
    results = in_parallel("plans", score_planner, [(part, known) for part in lines.values()], quiet=quiet)
    scored: dict[str, _Scored] = dict(zip(lines, results, strict=True))
    return PlanTables(
        rows=tuple(row for name, found in scored.items() for row in _rows(name, found, published)),
        items=tuple(item for name, found in scored.items() for item in _items(name, found.scores)),
        comparisons=tuple(_comparisons(scored)),
        unusable=tuple(unusable),
    )


def read_lines(path: str) -> list[str]:
    """The lines of a file that are not blank."""
    text = read_bytes(path).decode("utf-8-sig", "replace")
    return [line for line in text.split("\n") if line.strip()]


def score_planner(predicted: Sequence[str], known: Sequence[str]) -> _Scored:
    """A planner's raw lines against those of the known plans."""
    plans = [read_predicted(line) for line in predicted]
    wanted = [read_predicted(line).plan for line in known]
    pairs = [(plan.plan, gold) for plan, gold in zip(plans, wanted, strict=True) if gold is not None]
    return _Scored(
        scores=tuple(score_plan(plan, gold) for plan, gold in pairs),
        lenient=100 * sum(plan.plan is not None for plan in plans) / len(plans),
        strict=100 * sum(plan.is_json for plan in plans) / len(plans),
        line_bleu=corpus_bleu(predicted, known),
        plan_bleu=corpus_bleu([plan_part(line) for line in predicted], [plan_part(line) for line in known]),
    )


def _rows(planner: str, found: _Scored, published: Published) -> Iterator[PlanRow]:
    plans = published.plans
    printed = dict(zip(plans.columns, plans.planners.get(planner, ()), strict=False))
    on_all = dict(zip(plans.columns, plans.all_rows.get(planner, ()), strict=False))
    if planner in plans.line_bleu:
        printed["line_bleu"] = plans.line_bleu[planner]
    values = asdict(mean_scores(found.scores))
    count = values.pop("rows")
    values |= {"line_bleu": found.line_bleu, "plan_bleu": found.plan_bleu}
    values |= {"validity_lenient": found.lenient, "validity_strict": found.strict}
    for column, value in values.items():
        yield PlanRow(
            planner=planner,
            column=column,
            rows=count,
            published=printed.get(column),
            on_all_rows=on_all.get(column),
            reproduced=None if math.isnan(value) else value,
        )


def _items(planner: str, scores: Sequence[PlanScores]) -> Iterator[PlanItem]:
    for row, score in enumerate(scores):
        for column in _numbers(score):
            value = getattr(score, column)
            yield PlanItem(planner=planner, row=row, column=column, value=None if value is None else float(value))


def _numbers(score: PlanScores) -> list[str]:
    return [field.name for field in fields(score) if field.name != "compared"]


def _comparisons(scored: Mapping[str, _Scored]) -> Iterator[PlanComparison]:
    if OUR_PLANNER not in scored:
        return
    ours = scored[OUR_PLANNER].scores
    found = []
    for planner, theirs in scored.items():
        for column in _numbers(ours[0]) if planner != OUR_PLANNER else ():
            scale = 100.0 if isinstance(getattr(ours[0], column), bool) else 1.0
            pairs = [
                (scale * first, scale * second)
                for one, other in zip(theirs.scores, ours, strict=True)
                if (first := getattr(one, column)) is not None and (second := getattr(other, column)) is not None
            ]
            if pairs:
                found.append((planner, column, [one for one, _ in pairs], [other for _, other in pairs]))
    p_values = [paired_permutation_test(one, other) for _, _, one, other in found]
    for (planner, column, one, other), p, adjusted in zip(found, p_values, holm(p_values), strict=True):
        interval = paired_bootstrap(one, other)
        yield PlanComparison(
            planner=planner,
            against=OUR_PLANNER,
            column=column,
            rows=len(one),
            difference=interval.estimate,
            low=interval.low,
            high=interval.high,
            p=p,
            p_holm=adjusted,
        )
