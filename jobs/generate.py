"""The main job: requirements in, scored deep-learning projects out.

    ray job submit --working-dir . -- python -m jobs.generate --input s3://bucket/in.jsonl --out s3://bucket/out

The same command goes on after a kill, without redoing finished shards. As a call: `main(GenerateConfig(...))`.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import PurePosixPath

from jobs.config import GenerateConfig
from jobs.dataflow import run_shards, start_ray
from jobs.progress import RowProgress
from jobs.run_store import RunStore
from pipeline import artifact
from pipeline.config import load_settings
from pipeline.inputs import read_requirements
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.score.report import write_report
from pipeline.stages import generation_stages
from pipeline.starter import STARTER
from pipeline.storage import join

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
    out: str

    @property
    def bugs(self) -> int:
        return sum(count for name, count in self.failures.items() if name.endswith(": bug"))


def main(config: GenerateConfig) -> Summary:
    """Runs the job and writes the run's folder. Raises DLCodeGenError for settings or input that cannot work."""
    start = time.monotonic()
    config = _with_artifact_pool(config)
    load_samples(config.pool), load_known_plans(config.plans)  # a pool that cannot be read fails here, not per worker
    store = RunStore(config.out)
    staged = store.stage(read_requirements(config.input), config.input, config.digest(), config.shard_rows)
    pending = store.pending(staged)
    resumed = staged.rows - sum(_rows_in(shard, staged.rows, config.shard_rows) for shard in pending)
    working = time.monotonic()
    if pending:
        start_ray(config.address, config.workers)
        with RowProgress("generate", staged.rows, resumed, quiet=config.quiet) as progress:
            for done in run_shards(generation_stages(config), store, pending, config.workers):
                progress.advance(done.rows, done.failed)
    worked = max(time.monotonic() - working, 1e-6)
    totals = _Totals()
    title = f"DLCodeGen: {PurePosixPath(config.input.rstrip('/')).name}"
    settings = config.model_dump(mode="json", exclude={"out", "workers", "quiet", "address"})
    rows = map(totals.add, store.results_with_failures_written())
    write_report(rows, join(config.out, "report.html"), title=title, settings=settings, items=config.report_items)
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
        out=config.out,
    )
    _write_manifest(store, config, summary, staged.digest)
    return summary


def _with_artifact_pool(config: GenerateConfig) -> GenerateConfig:
    """An artifact as input brings its own sample pool and plans, unless the settings name others."""
    if not artifact.is_artifact(config.input):
        return config
    own = {name: config.input for name in ("pool", "plans") if getattr(config, name) == STARTER}
    return config.model_copy(update=own)


def _rows_in(shard: int, rows: int, shard_rows: int) -> int:
    return min(shard_rows, rows - shard * shard_rows)


_MEASURES = (
    "conformance",
    "codebleu",
    "ngram_match",
    "weighted_ngram_match",
    "syntax_match",
    "dataflow_match",
    "length_ratio",
)


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
    found = {name: getattr(record.scores, name) for name in _MEASURES}
    found |= {"parses": float(record.scores.parses), "undefined_names": float(len(record.scores.undefined_names))}
    return {name: value for name, value in found.items() if value is not None}


def _write_manifest(store: RunStore, config: GenerateConfig, summary: Summary, digest: str) -> None:
    store.write_json(
        "manifest.json",
        {
            "versions": {name: version(name) for name in _VERSIONED},
            "settings": config.model_dump(mode="json"),
            "settings_digest": config.digest(),
            "seed": config.seed,
            "input_digest": digest,
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", help="YAML file of settings")
    parser.add_argument("--input")
    parser.add_argument("--out")
    parser.add_argument("settings", nargs="*", metavar="key=value")
    arguments = parser.parse_args()
    paths = {name: getattr(arguments, name) for name in ("input", "out") if getattr(arguments, name)}
    print(main(load_settings(GenerateConfig, arguments.config, arguments.settings, **paths)))
