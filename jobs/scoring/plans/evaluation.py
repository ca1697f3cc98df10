"""Planners evaluated on the same rows: their scores, their differences, and the files that hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.plans.evaluation_rows import NEAR, EvaluationRows
from jobs.scoring.plans.page import write_plan_page
from jobs.scoring.plans.planner_runs import PlannerRun
from jobs.scoring.plans.plots import write_plots
from jobs.scoring.reproduction.published import load_published
from pipeline.comparison.plan_tables import (
    ALL,
    NOT_NEAR,
    PlanComparison,
    PlanItem,
    PlannerResult,
    ScoredLine,
    plan_comparisons,
    plan_items,
    planner_results,
    score_lines,
)
from pipeline.comparison.statistics import BOOTSTRAP_RESAMPLES
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import join, read_bytes, write_bytes, write_manifest

_VERSIONED = ("dlcodegen-ray", "numpy", "scipy", "scikit-learn", "sacrebleu", "rapidfuzz")

_Scored = Mapping[str, Sequence[ScoredLine]]
"""By planner, its answers in the order of the rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanEvaluation:
    """What an evaluation gives, and writes to `out`."""

    results: tuple[PlannerResult, ...]
    items: tuple[PlanItem, ...]
    comparisons: tuple[PlanComparison, ...]
    runs: tuple[PlannerRun, ...]
    near: tuple[int, ...]
    """The rows, from 0, whose requirement is nearly among the known plans'."""
    test_rows: int
    out: str


def evaluate(
    runs: Sequence[PlannerRun], rows: EvaluationRows, files: Mapping[str, str], against: Sequence[str], out: str
) -> PlanEvaluation:
    """Scores the runs, over all rows and over those not nearly known, and compares them.

    They are compared with those named in `against`, by default with each of the prediction `files`. Raises
    DLCodeGenError where none has such a name.
    """
    scored = {run.planner: score_lines(run.lines, rows.lines) for run in runs}
    unknown = [name for name in against if name not in scored]
    if unknown:
        raise DLCodeGenError(f"--against {unknown[0]}: no such planner here; there are {', '.join(scored)}")
    subsets: dict[str, _Scored] = {ALL: scored}
    if rows.near and len(rows.near) < len(rows.lines):
        kept = rows.not_near
        not_near: dict[str, list[ScoredLine]] = {}
        for name, lines in scored.items():
            not_near[name] = [lines[row] for row in kept]
        subsets[NOT_NEAR] = not_near
    items: list[PlanItem] = []
    for name, lines in scored.items():
        items += plan_items(name, lines)
    return PlanEvaluation(
        results=tuple(_results(subsets)),
        items=tuple(items),
        comparisons=tuple(_comparisons(subsets, files, against or list(files))),
        runs=tuple(runs),
        near=rows.near,
        test_rows=len(rows.lines),
        out=out,
    )


def _results(subsets: Mapping[str, _Scored]) -> Iterator[PlannerResult]:
    plans = load_published().plans
    printed, on_all = plans.by_planner(), plans.by_planner(on_all_rows=True)
    for subset, scored in subsets.items():
        for name, lines in scored.items():
            yield from planner_results(name, lines, published=printed, on_all_rows=on_all, subset=subset)


def _comparisons(
    subsets: Mapping[str, _Scored], files: Mapping[str, str], against: Sequence[str]
) -> Iterator[PlanComparison]:
    """Ours beside those they are compared with: what the released files differ by among each other is not asked."""
    for subset, scored in subsets.items():
        for opponent in against:
            names = [name for name in scored if name == opponent or name not in files]
            compared = {name: scored[name] for name in names}
            yield from plan_comparisons(compared, opponent, subset=subset)


def write_evaluation(
    evaluation: PlanEvaluation, read: Mapping[str, str], settings: Sequence[str], seconds: float
) -> None:
    """Writes tables, predictions, page, plots and manifest. `read`: the files that were read, by name."""
    out = evaluation.out
    write_tables(
        out,
        {
            "plans": (evaluation.results, PlannerResult),
            "plan_items": (evaluation.items, PlanItem),
            "plan_comparisons": (evaluation.comparisons, PlanComparison),
        },
    )
    planners: dict[str, dict[str, Any]] = {}
    for run in evaluation.runs:
        if run.seconds is None:  # a file of predictions or a baseline: it was not run here
            continue
        text = "".join([f"{line}\n" for line in run.lines])
        path = join(out, "predictions", f"{_file_name(run.planner)}.jsonl")
        write_bytes(path, text.encode("utf-8", "replace"))
        planners[run.planner] = {"seconds": run.seconds, "failures": dict(run.failures)}
    near = len(evaluation.near)
    page = join(out, "report.html")
    write_plan_page(evaluation.results, evaluation.comparisons, near, evaluation.test_rows, page)
    write_plots(evaluation.results, evaluation.comparisons, join(out, "plots"))
    manifest: dict[str, Any] = {
        "versions": versions_of(_VERSIONED),
        "settings": list(settings),
        "read": {name: {"path": path, "sha256": _digest(path)} for name, path in read.items()},
        "test_rows": evaluation.test_rows,
        "test_rows_nearly_known": near,
        "near": {"measure": "Jaccard similarity of two-word shingles of the requirement", "from": NEAR},
        "planners": planners,
        "bootstrap_resamples": BOOTSTRAP_RESAMPLES,
        "seconds": round(seconds, 1),
    }
    write_manifest(out, manifest)


def _file_name(planner: str) -> str:
    """The planner's name, with hyphens for what a file system may not take (`hybrid:planner (firewall)`)."""
    letters = []
    for letter in planner:
        letters.append(letter if letter.isalnum() or letter in "-_." else "-")
    return "".join(letters)


def _digest(path: str) -> str | None:
    """None for a location that is no one file."""
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except (OSError, ValueError):
        return None
