"""Answers to the same rows: of planners of ours, of files of predictions, and of two baselines that read nothing."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from jobs.generation.language_model import planning
from jobs.scoring.plans.evaluation_rows import NEAR, EvaluationRows, read_predictions
from jobs.scoring.reproduction.plan_tables import NO_PLAN
from pipeline.config import PipelineSettings, load_settings
from pipeline.planners.majority import majority_plan
from pipeline.records import Planned, Requirement
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.stage import Chain

MAJORITY = "majority and median"
WITH_FIREWALL = " (firewall)"
_NO_FIREWALL = 1.1
"""A threshold that no similarity reaches."""
_LOOKS_UP = ("retrieval", "hybrid", "llm")
"""Kinds of planners that look known plans up, and so can be kept from near-copies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerRun:
    """A planner's answers."""

    planner: str
    lines: tuple[str, ...]
    """Raw, in the order of the test rows."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """How many, by kind."""
    seconds: float | None = None
    """For all rows; None for what was not run here."""


def prediction_runs(files: Mapping[str, str], rows: EvaluationRows) -> list[PlannerRun]:
    """Files of predictions, by name."""
    runs = []
    for name, path in files.items():
        runs.append(PlannerRun(planner=name, lines=read_predictions(path, len(rows.lines))))
    return runs


def baseline_runs(rows: EvaluationRows, known: Sequence[KnownPlan]) -> list[PlannerRun]:
    """No plan at all, and the most frequent values with the median numbers."""
    majority = majority_plan([item.plan for item in known]).to_json()
    majority_lines = [_line(record, majority) for record in rows.requirements]
    return [
        PlannerRun(planner=NO_PLAN, lines=("{}",) * len(rows.lines)),
        PlannerRun(planner=MAJORITY, lines=tuple(majority_lines)),
    ]


def planner_runs(planner: str, rows: EvaluationRows, train: str, settings: Sequence[str]) -> Iterator[PlannerRun]:
    """The planner as it is, and where it looks plans up, once more with the firewall."""
    for suffix, threshold in (("", _NO_FIREWALL), (WITH_FIREWALL, NEAR)):
        overrides = [*settings, f"planner.use={planner}", f"retrieval.requirement_similarity={threshold}"]
        chosen = load_settings(PipelineSettings, None, overrides, plans=train)
        records, seconds = _run(chosen, rows.requirements)
        lines: list[str] = []
        failures: Counter[str] = Counter()
        for record in records:
            lines.append(_answer(record))
            if record.failure is not None:
                failures[record.failure.kind] += 1
        yield PlannerRun(
            planner=_label(planner) + suffix,
            lines=tuple(lines),
            failures=dict(failures),
            seconds=seconds,
        )
        if chosen.planner.kind not in _LOOKS_UP:
            return


def _run(settings: PipelineSettings, requirements: Sequence[Requirement]) -> tuple[list[Requirement], float]:
    """The rows with their plans or failures, and the seconds that the planner took, its loading included."""
    with planning(settings) as stage:
        chain = Chain([stage])
        start = time.monotonic()
        try:
            records = [record for record, _ in chain.run(requirements)]
        finally:
            chain.close()
        return records, time.monotonic() - start


def _label(planner: str) -> str:
    """`hybrid:out/planner` -> `hybrid:planner`."""
    kind, separator, folder = planner.partition(":")
    return f"{kind}{separator}{PurePosixPath(folder.rstrip('/')).name}"


def _answer(record: Requirement) -> str:
    if isinstance(record, Planned) and record.plan:
        return _line(record, record.plan.to_json())
    return "no plan"


def _line(record: Requirement, plan: str) -> str:
    """A line in the layout of the published predictions, which repeat the prompt."""
    prompt = {"User Requirement": record.requirement, "Dataset Attributes": record.attributes}
    return f'{json.dumps(prompt, ensure_ascii=False)[:-1]}, "Code Plan": {plan}}}'
