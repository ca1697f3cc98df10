"""Table IV and Fig. 4 for planners of ours and files of predictions, on the same rows, with what the table leaves out.

    dlcodegen eval-planner --train TRAIN --test TEST --planner retrieval --planner hybrid:out/planner --out out/plans

Standard supervised protocol: planners may use all known plans, as the paper's GPT-2 was trained on all of them. Since
some test requirements are nearly among these, everything is also given over the rows that are not, and for planners
that look plans up once more with a firewall that keeps near-copies from them. Written to the folder:

    plans, plan_items, plan_comparisons      a column of a planner, a plan's score, a difference; CSV and Parquet
    predictions/<planner>.jsonl              the plans, in the published layout: an object a line, prompt included
    plots/*.png                              Table IV, Fig. 4, differences with their intervals
    report.html, manifest.json               tables with plots; versions, settings, digests, counts, seconds
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from jobs.generation.language_model import planning
from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.plans.page import write_plan_page
from jobs.scoring.plans.plots import write_plots
from jobs.scoring.reproduction.plan_tables import KNOWN, NO_PLAN, read_lines
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
from pipeline.config import PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import is_artifact
from pipeline.plan.reading import read_text
from pipeline.planners.majority import majority_plan
from pipeline.records import Planned, Requirement
from pipeline.retrieval.firewall import row_shingles
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans
from pipeline.retrieval.tokenize import jaccard
from pipeline.stage import Chain
from pipeline.storage.files import join, read_bytes, write_bytes

NEAR = 0.8
"""Jaccard similarity of two-word shingles from which a requirement counts as nearly known; the firewall's threshold."""
OPEN = 1.1
MAJORITY = "majority and median"
WITH_FIREWALL = " (firewall)"
_LOOKS_UP = ("retrieval", "hybrid", "llm")
_VERSIONED = ("dlcodegen-ray", "numpy", "scipy", "scikit-learn", "sacrebleu", "rapidfuzz")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerRun:
    """A planner's answers: raw lines in the order of the test rows, failures by kind, and seconds for all rows."""

    planner: str
    lines: tuple[str, ...]
    failures: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanEvaluation:
    """What `main` wrote to `out`. `near`: the rows, from 0, whose requirement is nearly among the known plans'."""

    rows: tuple[PlannerResult, ...]
    items: tuple[PlanItem, ...]
    comparisons: tuple[PlanComparison, ...]
    runs: tuple[PlannerRun, ...]
    near: tuple[int, ...]
    test_rows: int
    out: str


def main(
    *,
    test: str,
    train: str,
    planners: Sequence[str],
    predictions: Sequence[str],
    out: str,
    against: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> PlanEvaluation:
    """Evaluates `planners` (values of `planner=`) and files of `predictions` on the plans in `test`.

    `train`: known plans as the setting `plans` takes them. `against`: planners, or names of prediction files without
    ending, that all others are compared with; by default every prediction file. Raises DLCodeGenError for files that
    cannot be read or do not belong together.
    """
    start = time.monotonic()
    known = load_known_plans(train)
    gold = _gold_lines(test)
    records = [_requirement(row, line) for row, line in enumerate(gold)]
    near = _near_rows(records, known)
    files = {PurePosixPath(path).stem: path for path in predictions}
    runs = [PlannerRun(planner=name, lines=tuple(_predictions(path, len(gold)))) for name, path in files.items()]
    runs.append(PlannerRun(planner=NO_PLAN, lines=("{}",) * len(gold)))
    majority = majority_plan([item.plan for item in known])
    runs.append(PlannerRun(planner=MAJORITY, lines=tuple(_line(record, majority.to_json()) for record in records)))
    runs += [run for planner in planners for run in _run_planner(planner, records, train, settings)]
    scored = {run.planner: score_lines(run.lines, gold) for run in runs}
    subsets = {ALL: scored}
    if near and len(near) < len(gold):
        kept = [row for row in range(len(gold)) if row not in set(near)]
        subsets[NOT_NEAR] = {name: [lines[row] for row in kept] for name, lines in scored.items()}
    unknown = [name for name in against if name not in scored]
    if unknown:
        raise DLCodeGenError(f"--against {unknown[0]}: no such planner here; there are {', '.join(scored)}")
    found = PlanEvaluation(
        rows=tuple(_rows(subsets)),
        items=tuple(item for name, lines in scored.items() for item in plan_items(name, lines)),
        comparisons=tuple(
            row
            for subset, lines in subsets.items()
            for name in against or files
            for row in plan_comparisons(_compared(lines, name, files), name, subset=subset)
        ),
        runs=tuple(runs),
        near=tuple(near),
        test_rows=len(gold),
        out=out,
    )
    _write(found, {"test": test, "train": train, **files}, settings, time.monotonic() - start)
    return found


def _compared(
    scored: Mapping[str, Sequence[ScoredLine]], against: str, files: Mapping[str, str]
) -> dict[str, Sequence[ScoredLine]]:
    """Ours beside the one they are compared with: what the released files differ by among each other is not asked."""
    return {name: lines for name, lines in scored.items() if name == against or name not in files}


def _rows(subsets: Mapping[str, Mapping[str, Sequence[ScoredLine]]]) -> Iterator[PlannerResult]:
    plans = load_published().plans
    printed, on_all = plans.by_planner(), plans.by_planner(on_all_rows=True)
    for subset, scored in subsets.items():
        for name, lines in scored.items():
            yield from planner_results(name, lines, published=printed, on_all_rows=on_all, subset=subset)


def _gold_lines(test: str) -> list[str]:
    path = join(test, KNOWN) if is_artifact(test) else test
    try:
        lines = read_lines(path)
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read as test plans ({error})") from error
    if not lines:
        raise DLCodeGenError(f"{path}: no test plan; give a DLPlanData file, an object with its plan a line")
    return lines


def _requirement(row: int, line: str) -> Requirement:
    try:
        found = json.loads(line)
        requirement, attributes = found["User Requirement"], found.get("Dataset Attributes")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DLCodeGenError(
            f"test plans, row {row + 1}: no JSON object with `User Requirement` and `Code Plan` ({error})"
        ) from error
    return Requirement(id=f"test-{row}", row=row, requirement=read_text(requirement), attributes=read_text(attributes))


def _near_rows(records: Sequence[Requirement], known: Sequence[KnownPlan]) -> list[int]:
    shingles = [row_shingles(item.requirement, None).requirement for item in known]
    return [
        record.row
        for record in records
        if any(jaccard(row_shingles(record.requirement, None).requirement, other) >= NEAR for other in shingles)
    ]


def _predictions(path: str, count: int) -> list[str]:
    try:
        lines = read_lines(path)
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read as predictions ({error})") from error
    if len(lines) != count:
        raise DLCodeGenError(f"{path}: {len(lines)} predictions for {count} test rows; give the file of the same rows")
    return lines


def _label(planner: str) -> str:
    """`hybrid:out/planner` -> `hybrid:planner`."""
    kind, separator, folder = planner.partition(":")
    return f"{kind}{separator}{PurePosixPath(folder.rstrip('/')).name}"


def _run_planner(
    planner: str, records: Sequence[Requirement], train: str, settings: Sequence[str]
) -> Iterator[PlannerRun]:
    """The planner as it is, and where it looks plans up, once more with the firewall."""
    for suffix, threshold in (("", OPEN), (WITH_FIREWALL, NEAR)):
        chosen = load_settings(
            PipelineSettings,
            None,
            [*settings, f"planner.use={planner}", f"retrieval.requirement_similarity={threshold}"],
            plans=train,
        )
        with planning(chosen) as stage:
            chain = Chain([stage])
            start = time.monotonic()
            try:
                done = [record for record, _ in chain.run(records)]
            finally:
                chain.close()
        failures: dict[str, int] = {}
        for record in done:
            if record.failure is not None:
                failures[record.failure.kind] = failures.get(record.failure.kind, 0) + 1
        yield PlannerRun(
            planner=_label(planner) + suffix,
            lines=tuple(
                _line(record, record.plan.to_json()) if isinstance(record, Planned) and record.plan else "no plan"
                for record in done
            ),
            failures=failures,
            seconds=time.monotonic() - start,
        )
        if chosen.planner.kind not in _LOOKS_UP:
            return


def _line(record: Requirement, plan: str) -> str:
    prompt = {"User Requirement": record.requirement, "Dataset Attributes": record.attributes}
    return f'{json.dumps(prompt, ensure_ascii=False)[:-1]}, "Code Plan": {plan}}}'


def _write(found: PlanEvaluation, read: Mapping[str, str], settings: Sequence[str], seconds: float) -> None:
    write_tables(
        found.out,
        {
            "plans": (found.rows, PlannerResult),
            "plan_items": (found.items, PlanItem),
            "plan_comparisons": (found.comparisons, PlanComparison),
        },
    )
    for run in found.runs:
        if run.seconds is not None:
            name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in run.planner)
            text = "".join(f"{line}\n" for line in run.lines)
            write_bytes(join(found.out, "predictions", f"{name}.jsonl"), text.encode("utf-8", "replace"))
    write_plan_page(found.rows, found.comparisons, len(found.near), found.test_rows, join(found.out, "report.html"))
    write_plots(found.rows, found.comparisons, join(found.out, "plots"))
    manifest: dict[str, Any] = {
        "versions": versions_of(_VERSIONED),
        "settings": list(settings),
        "read": {name: {"path": path, "sha256": _digest(path)} for name, path in read.items()},
        "test_rows": found.test_rows,
        "test_rows_nearly_known": len(found.near),
        "near": {"measure": "Jaccard similarity of two-word shingles of the requirement", "from": NEAR},
        "planners": {
            run.planner: {"seconds": run.seconds, "failures": dict(run.failures)}
            for run in found.runs
            if run.seconds is not None
        },
        "bootstrap_resamples": 10_000,
        "seconds": round(seconds, 1),
    }
    write_bytes(join(found.out, "manifest.json"), json.dumps(manifest, indent=2).encode() + b"\n")


def _digest(path: str) -> str | None:
    """None for a location that is no one file."""
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    from jobs import run_command

    run_command("eval-planner")
