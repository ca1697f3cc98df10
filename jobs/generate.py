"""The main job: requirements in, scored deep-learning projects out.

    ray job submit --working-dir . -- python -m jobs.generate --input s3://bucket/in.jsonl --out s3://bucket/out

The same command goes on after a kill, without redoing finished shards. As a call: `main(GenerateConfig(...))`.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath

from jobs.config import GenerateConfig
from jobs.dataflow import run_shards, start_ray
from jobs.progress import RowProgress
from jobs.run_store import RunStore
from pipeline.config import load_settings
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.score.report import write_report
from pipeline.score.score import MEASURES
from pipeline.storage import fingerprint, join

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow", "codebleu", "rank-bm25")


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What a run came to. `failures` counts rows by "stage: kind"; `rows_per_second` is of this call's rows only."""

    rows: int
    generated: int
    failures: dict[str, int]
    means: dict[str, float]
    seconds: float
    rows_per_second: float
    resumed_rows: int
    projects: bool
    out: str

    @property
    def bugs(self) -> int:
        return sum(count for name, count in self.failures.items() if name.endswith(": bug"))


def main(config: GenerateConfig) -> Summary:
    """Runs the job and writes the run's folder. Raises DLCodeGenError for settings or input that cannot work."""
    start = time.monotonic()
    config = config.for_input(config.input)
    load_samples(config.pool), load_known_plans(config.plans)  # a pool that cannot be read fails here, not per worker
    store = RunStore(config.out)
    sources = {name: fingerprint(getattr(config, name)) for name in ("input", "pool", "plans")}
    rows = read_requirements(config.input)
    staged = store.stage(rows, config.input, config.digest(), config.shard_rows, " ".join(sources.values()))
    pending = store.pending(staged)
    resumed = staged.rows - sum(map(staged.rows_in, pending))
    working = time.monotonic()
    if pending:
        elastic = start_ray(config.address, config.workers)
        with RowProgress("generate", staged.rows, resumed, quiet=config.quiet) as progress:
            for done in run_shards(generation_stages(config), store, pending, config.workers, elastic=elastic):
                progress.advance(done.rows, done.failed)
    worked = max(time.monotonic() - working, 1e-6)
    totals = _Totals()
    title = f"DLCodeGen: {PurePosixPath(config.input.rstrip('/')).name}"
    settings = config.model_dump(mode="json", exclude={"out", "shard_rows", "workers", "quiet", "address"})
    store.write_failures(map(totals.add, store.results()))
    write_report(
        store.results(), join(config.out, "report.html"), title=title, settings=settings, items=config.report_items
    )
    if config.projects:
        store.write_projects()
    summary = Summary(
        rows=staged.rows,
        generated=totals.generated,
        failures=dict(sorted(totals.failures.items())),
        means={name: total / count for name, (total, count) in totals.sums.items()},
        seconds=round(time.monotonic() - start, 3),
        rows_per_second=round((staged.rows - resumed) / worked, 1),
        resumed_rows=resumed,
        projects=config.projects,
        out=config.out,
    )
    _write_manifest(store, config, summary, staged.digest, sources)
    return summary


@dataclass(slots=True)
class _Totals:
    """Failures by stage and kind, sums and counts of the scores that rows have, and the generated projects."""

    failures: Counter[str] = field(default_factory=Counter)
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    generated: int = 0

    def add(self, record: Scored) -> Scored:
        self.generated += bool(record.files)
        if record.failure:
            self.failures[f"{record.failure.stage}: {record.failure.kind}"] += 1
        for name, value in _measures(record).items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1
        return record


def _measures(record: Scored) -> dict[str, float]:
    if record.scores is None:
        return {}
    found = {name: getattr(record.scores, name) for name in MEASURES}
    found |= {"parses": float(record.scores.parses), "undefined_names": float(len(record.scores.undefined_names))}
    return {name: value for name, value in found.items() if value is not None}


def _write_manifest(
    store: RunStore, config: GenerateConfig, summary: Summary, digest: str, sources: Mapping[str, str]
) -> None:
    store.write_json(
        "manifest.json",
        {
            "versions": {name: _version(name) for name in _VERSIONED},
            "settings": config.model_dump(mode="json"),
            "settings_digest": config.digest(),
            "seed": config.seed,
            "input_digest": digest,
            "pool": {"location": config.pool, "fingerprint": sources["pool"]},
            "plans": {"location": config.plans, "fingerprint": sources["plans"]},
            "rows_in": summary.rows,
            "rows_generated": summary.generated,
            "rows_failed": sum(summary.failures.values()),
            "failures": summary.failures,
            "means": summary.means,
            "seconds": summary.seconds,
            "rows_per_second": summary.rows_per_second,
            "rows_resumed": summary.resumed_rows,
            "stage_seconds": {name: round(value, 3) for name, value in store.stage_seconds().items()},
        },
    )


def _version(distribution: str) -> str:
    """The installed version; this project itself may have come by --working-dir, without being installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", help="YAML file of settings")
    parser.add_argument("--input")
    parser.add_argument("--out")
    parser.add_argument("settings", nargs="*", metavar="key=value")
    arguments = parser.parse_args()
    paths = {name: getattr(arguments, name) for name in ("input", "out") if getattr(arguments, name)}
    print(main(load_settings(GenerateConfig, arguments.config, arguments.settings, **paths)))
