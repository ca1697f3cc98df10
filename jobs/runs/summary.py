"""What a run came to: counted over its finished rows, and written down as its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from jobs.cluster.versions import versions_of
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.measures.call_totals import CallTotals
from pipeline.measures.project_scores import MEASURES
from pipeline.records import Scored

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow", "codebleu", "rank-bm25")


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What a run came to. `failures` counts rows by "stage: kind"; `rows_per_second` is of this call's rows only.
    `pending` rows are not done, since the run `stopped` for that reason."""

    rows: int
    generated: int
    failures: dict[str, int]
    means: dict[str, float]
    calls: CallTotals
    seconds: float
    rows_per_second: float
    resumed_rows: int
    pending: int
    stopped: str | None
    projects: bool
    out: str

    @property
    def bugs(self) -> int:
        return sum(count for name, count in self.failures.items() if name.endswith(": bug"))


@dataclass(slots=True)
class Totals:
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

    def means(self) -> dict[str, float]:
        return {name: total / count for name, (total, count) in self.sums.items()}


def _measures(record: Scored) -> dict[str, float]:
    if record.scores is None:
        return {}
    found = {name: getattr(record.scores, name) for name in MEASURES}
    found |= {"parses": float(record.scores.parses), "undefined_names": float(len(record.scores.undefined_names))}
    return {name: value for name, value in found.items() if value is not None}


def write_manifest(
    store: RunStore, config: GenerateConfig, summary: Summary, digest: str, sources: Mapping[str, str]
) -> None:
    """Writes versions, settings, digests and counts as manifest.json."""
    store.write_json(
        "manifest.json",
        {
            "versions": versions_of(_VERSIONED),
            "settings": config.model_dump(mode="json"),
            "settings_digest": config.digest(),
            "seed": config.seed,
            "input_digest": digest,
            "pool": {"location": config.pool, "fingerprint": sources["pool"]},
            "plans": {"location": config.plans, "fingerprint": sources["plans"]},
            "rows_in": summary.rows,
            "rows_generated": summary.generated,
            "rows_failed": sum(summary.failures.values()),
            "rows_pending": summary.pending,
            "stopped": summary.stopped,
            "failures": summary.failures,
            "means": summary.means,
            "calls": asdict(summary.calls),
            "seconds": summary.seconds,
            "rows_per_second": summary.rows_per_second,
            "rows_resumed": summary.resumed_rows,
            "stage_seconds": {name: round(value, 3) for name, value in store.stage_seconds().items()},
        },
    )
