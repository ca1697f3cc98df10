"""Runs scored and compared: every code metric, the baselines that need no model, leaks, and what is noise.

    python -m jobs.score_runs out/direct out/ours --out out/scores

The same command goes on after a kill. Written to the folder, the tables each as CSV and Parquet:

    methods      a method a row: denominators, failures, what the code says, copying
    code         a method under a protocol, over all items and over the clean ones, a row
    items        a pair of candidate and reference a row       comparisons   a measure of two methods a row
    report.html  one self-contained page                       manifest.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from jobs.cluster.dataflow import start_ray
from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.baseline_outputs import COPY_SHOWN
from jobs.scoring.code_tables import Baselines, CodeTables, Measuring, code_tables, measured_baselines
from jobs.scoring.pages import runs_page
from jobs.scoring.run_outputs import Run, open_runs, output_of, run_named, group_seeds
from pipeline.comparison.code_rows import CodeItem, CodeRow, MethodRow
from pipeline.comparison.comparisons import Comparison
from pipeline.config import Settings
from pipeline.measures.codebleu.baselines import Solution
from pipeline.measures.outputs import MethodName, Output
from pipeline.pages.score_report import write_score_report
from pipeline.retrieval.sample_pool import Sample, load_samples
from pipeline.storage.files import join, write_bytes

_VERSIONED = ("dlcodegen-ray", "codebleu", "tree-sitter-python", "black", "numpy", "ray")
MOST_PAIRS = 40_000
"""Pairs of reference and sample that the choices in hindsight look at, at most."""


class ScoreConfig(Settings):
    """`against`: the run that the others are compared with, by default the first. `baseline_items`: items with a
    reference that the baselines answer, at most, evenly spaced. `seeds`: draws of the random one. `report_items`: items
    that the page opens."""

    runs: tuple[str, ...] = Field(min_length=1)
    out: str
    against: str | None = None
    baseline_items: int = Field(500, ge=0)
    seeds: int = Field(5, ge=1)
    report_items: int = Field(60, ge=0)
    address: str | None = None
    workers: int | None = Field(None, ge=1)
    quiet: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """What `main` wrote to `out`: the tables, and how long it took."""

    tables: CodeTables
    runs: tuple[Run, ...]
    against: str
    baseline_items: int
    seconds: float
    out: str


def main(config: ScoreConfig) -> Scoring:
    """Scores the runs and writes the folder. Raises DLCodeGenError for what is no run."""
    runs = open_runs([run.rstrip("/") for run in config.runs])
    start_ray(config.address, config.workers)
    return score_runs(runs, [run_named(runs, config.against)], group_seeds(runs), config)


def score_runs(
    runs: Sequence[Run], against: Sequence[Run], seeds: Mapping[MethodName, Sequence[MethodName]], config: ScoreConfig
) -> Scoring:
    """Scores opened runs and writes the folder. Needs an initialised Ray. The others are compared with `against`; with
    several of these, those of the same model or of none. `seeds`: methods that were run several times, and their runs.
    """
    start = time.monotonic()
    measured = {}
    for run in runs:
        measuring = Measuring(folder=config.out, pool=run.pool, plans=run.plans, quiet=config.quiet)
        measured[run.name] = measuring.measured(run.name.method, run.outputs(), run.rows)
    first = against[0]
    baselines = _baselines(first, config)
    if baselines is not None:
        measuring = Measuring(folder=config.out, pool=first.pool, plans=first.plans, quiet=config.quiet)
        measured |= measured_baselines(baselines, measuring)
    rivals = {
        run.name: [name for name in measured if len(against) == 1 or name.model in ("", run.name.model)]
        for run in against
    }
    scoring = Scoring(
        tables=code_tables(measured, rivals, seed_groups=seeds),
        runs=tuple(runs),
        against=", ".join(dict.fromkeys(run.name.method for run in against)),
        baseline_items=len(baselines.items) if baselines is not None else 0,
        seconds=round(time.monotonic() - start, 1),
        out=config.out,
    )
    write_score_report(
        runs_page(scoring.tables, runs, scoring.against, config.report_items), join(config.out, "report.html")
    )
    _write(scoring, config)
    return scoring


def _baselines(run: Run, config: ScoreConfig) -> Baselines | None:
    """The items of a run that have a reference, evenly spaced; None without references."""
    pool = load_samples(run.pool)
    codes = {sample.id: sample.code for sample in pool}
    places = [place for place, record in enumerate(run.records()) if (record.reference or "").strip()]
    limit = min(config.baseline_items, max(1, MOST_PAIRS // len(pool)))
    step = max(1, -(-len(places) // limit)) if limit else 1
    chosen = set(places[::step]) if limit else set()
    if not chosen or len(pool) < 2:
        return None
    rows: list[Solution] = []
    items: list[Output] = []
    copies: list[int] = []
    place_of = {sample.id: place for place, sample in enumerate(pool)}
    for place, record in enumerate(run.records()):
        if place in chosen:
            items.append(output_of(record, codes))
            plan = record.plan.text() if record.plan else ""
            category = record.plan.canonical().task_category if record.plan else ""
            rows.append(
                Solution(requirement=record.requirement, code=record.reference or "", category=category, plan=plan)
            )
            first = next((sample.id for sample in record.samples if sample.id in place_of), None)
            copies.append(place_of[first] if first is not None else place % len(pool))
    return Baselines(
        rows=rows,
        items=items,
        samples=[_solution(sample) for sample in pool],
        seeds=config.seeds,
        copies=copies,
        copy=COPY_SHOWN,
        cut_to={run.name.method: [item.code for item in items]},
    )


def _solution(sample: Sample) -> Solution:
    return Solution(
        requirement=sample.requirement,
        code=sample.code,
        category=sample.plan.canonical().task_category if sample.plan else "",
        plan=sample.plan.text() if sample.plan else "",
    )


def _write(scoring: Scoring, config: ScoreConfig) -> None:
    found = scoring.tables
    write_tables(
        config.out,
        {
            "methods": (found.methods, MethodRow),
            "code": (found.rows, CodeRow),
            "items": (found.items, CodeItem),
            "comparisons": (found.comparisons, Comparison),
        },
    )
    manifest = {
        "runs": {
            run.name.label: {"folder": run.folder, "rows": run.rows, "settings": run.settings} for run in scoring.runs
        },
        "against": scoring.against,
        "settings": config.model_dump(mode="json"),
        "versions": versions_of(_VERSIONED),
        "baseline_items": scoring.baseline_items,
        "bootstrap_resamples": 10_000,
        "seconds": scoring.seconds,
    }
    write_bytes(join(config.out, "manifest.json"), json.dumps(manifest, indent=2, default=str).encode() + b"\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="folders of runs")
    parser.add_argument("--out", required=True, help="the folder to write to")
    arguments = parser.parse_args()
    print(main(ScoreConfig(runs=tuple(arguments.runs), out=arguments.out)).out)
