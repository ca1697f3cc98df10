"""Table IV and Fig. 4 from the released predictions: protocol P, on the rows of Test.txt that a checkout holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.cluster.parallel import in_parallel
from jobs.scoring.reproduction.published import PredictionFile, Published
from pipeline.comparison.plan_tables import (
    PlanComparison,
    PlanItem,
    PlannerResult,
    plan_comparisons,
    plan_items,
    planner_results,
    score_lines,
)
from pipeline.storage.files import exists, join, read_bytes

KNOWN = "Datasets/DLPlanData/Test.txt"
OUR_PLANNER = "GPT-2-Large_Beam"
"""The paper's planner, which the others are compared with."""
NO_PLAN = "no plan at all"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerTables:
    """What the released predictions come to."""

    rows: tuple[PlannerResult, ...]
    items: tuple[PlanItem, ...]
    comparisons: tuple[PlanComparison, ...]
    unusable: tuple[str, ...]
    """Prediction files without a line for each row, in words."""


def planner_tables(
    root: str, files: Sequence[PredictionFile], published: Published, *, quiet: bool = False
) -> PlannerTables:
    """Every planner's columns, companions and validity. Needs an initialised Ray."""
    if not exists(join(root, KNOWN)):
        return PlannerTables(rows=(), items=(), comparisons=(), unusable=(f"Table IV, Fig. 4: no {KNOWN}",))
    known = read_lines(join(root, KNOWN))
    lines = {NO_PLAN: ["{}"] * len(known)}
    unusable = []
    for file in files:
        predictions = read_lines(file.path)
        if len(predictions) == len(known):
            lines[file.planner] = predictions
        else:
            unusable.append(f"{file.path}: {len(predictions)} predictions for {len(known)} rows")
    scored_lines = in_parallel("plans", score_lines, [(part, known) for part in lines.values()], quiet=quiet)
    scored = dict(zip(lines, scored_lines, strict=True))
    printed, on_all = published.plans.by_planner(), published.plans.by_planner(on_all_rows=True)
    rows: list[PlannerResult] = []
    items: list[PlanItem] = []
    for planner, answers in scored.items():
        rows += planner_results(planner, answers, published=printed, on_all_rows=on_all)
        items += plan_items(planner, answers)
    return PlannerTables(
        rows=tuple(rows),
        items=tuple(items),
        comparisons=tuple(plan_comparisons(scored, OUR_PLANNER)),
        unusable=tuple(unusable),
    )


def read_lines(path: str) -> list[str]:
    """The lines of a file that are not blank."""
    text = read_bytes(path).decode("utf-8-sig", "replace")
    # Not `splitlines`, which would also cut a prediction at a form feed or a Unicode line separator inside it.
    return [line for line in text.split("\n") if line.strip()]
