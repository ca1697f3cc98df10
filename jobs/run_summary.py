"""What a run came to: counted over its finished rows, and written down as its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from jobs.call_rows import CallRow
from jobs.config import GenerateConfig
from jobs.run_store import RunStore
from jobs.versions import versions_of
from pipeline.records import Scored
from pipeline.score.score import MEASURES

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow", "codebleu", "rank-bm25")


@dataclass(slots=True)
class CallTotals:
    """The calls to language models of all finished rows. `cached` of them were answered by the response cache, and cost
    nothing; `cached_tokens` of the prompts' tokens were in the engine's prefix cache. `seconds` add up over calls that
    waited side by side."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cut: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def add(self, row: CallRow) -> None:
        self.calls += 1
        self.cached += row.cached
        self.prompt_tokens += row.prompt_tokens
        self.cached_tokens += row.cached_tokens
        self.completion_tokens += row.completion_tokens
        self.cut += bool(row.cut)
        self.cost += row.cost
        self.seconds += row.seconds

    @classmethod
    def of(cls, rows: Iterable[CallRow]) -> CallTotals:
        totals = cls()
        for row in rows:
            totals.add(row)
        return totals


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
