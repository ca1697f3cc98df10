"""What came of running projects: a JSON report, and a table for a terminal."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from jobs.execution.project_runs import NEEDED_SHARE, ProjectRun
from jobs.execution.settings import CheckConfig
from pipeline.sandbox.sandbox import Limits


def write_check_report(config: CheckConfig, runs: Sequence[ProjectRun], versions: str, seconds: float) -> None:
    """Writes the report: a manifest, and each project's run."""
    counts = {}
    ok = {}
    for source in NEEDED_SHARE:
        of_source = [run for run in runs if run.source == source]
        counts[source] = len(of_source)
        ok[source] = sum(run.ok for run in of_source)
    manifest = {
        "versions": versions,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "config": {
            "workers": config.workers,
            "threads": config.threads,
            "limits": asdict(Limits(seconds=config.seconds)),
        },
        "counts": counts,
        "ok": ok,
        "learn": sum(run.learns for run in runs),
        "seconds": round(seconds, 1),
    }
    config.report.parent.mkdir(parents=True, exist_ok=True)
    config.report.write_text(json.dumps({"manifest": manifest, "projects": [asdict(run) for run in runs]}, indent=1))


def runs_table(runs: Sequence[ProjectRun]) -> Table:
    """A project a row."""
    table = Table("id", "source", "ok", "seconds", "MB", "held out", "baseline", "metric", "reason")
    for run in runs:
        ok = "yes" if run.ok else "NO"
        held_out = ("", "", "")
        if run.held_out is not None:
            held_out = (f"{run.held_out.value:g}", f"{run.held_out.baseline:g}", run.held_out.metric)
        table.add_row(run.id, run.source, ok, f"{run.seconds:.1f}", str(run.peak_memory_mb), *held_out, run.reason)
    return table
