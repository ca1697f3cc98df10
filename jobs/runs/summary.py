"""What a run came to: counted over its finished rows, and written down as its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from jobs.runs.store import RunStore
from jobs.runs.versions import versions_of
from pipeline.execution.funnel import Funnel
from pipeline.execution.running.execute_stage import execution_of
from pipeline.measures.call_totals import CallTotals
from pipeline.measures.delivery.check import Satisfaction, satisfaction_of_row
from pipeline.measures.project_scores import MEASURES
from pipeline.records import Scored
from pipeline.storage.files import write_manifest

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow", "codebleu", "rank-bm25")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """What `dlcodegen generate` prints at the end of a run."""

    rows: int
    """Rows of the input."""

    generated: int
    """Rows with a generated project."""

    failures: dict[str, int]
    """Failed rows by "stage: kind"."""

    first_failure: str
    """Why the first failed row has no project; "" where none failed."""

    asked: Satisfaction
    """How far the projects do what was asked."""

    execution: Funnel
    """How far the projects came; of no project where they were not run."""

    means: dict[str, float]
    """The mean of each score over the rows that have it."""

    calls: CallTotals
    """All calls to language models, those of earlier starts of the run included."""

    server_steps: tuple[str, ...]
    """What the model's server did not take, and how it was asked instead."""

    seconds: float
    """How long this start of the run took."""

    rows_per_second: float
    """Rows that this start of the run has finished, by the seconds it worked on them."""

    resumed_rows: int
    """Rows that earlier starts had finished."""

    pending: int
    """Rows that are not finished, because the run `stopped`."""

    stopped: str | None
    """Why the run ended early; None where it did not."""

    projects: bool
    """Whether the projects were written as folders too."""

    out: str
    """The run's folder."""

    @property
    def bugs(self) -> int:
        """Rows that met an error which no stage foresees."""
        bugs = 0
        for name, count in self.failures.items():
            if name.endswith(": bug"):
                bugs += count
        return bugs


@dataclass(slots=True)
class Totals:
    """Counts over the rows of a run, one row after another."""

    failures: Counter[str] = field(default_factory=Counter)
    """Failed rows by "stage: kind"."""

    sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Sum and count of each score, over the rows that have it."""

    generated: int = 0
    """Rows with a generated project."""

    first_failure: str = ""
    """Why the first failed row has no project."""

    asked: Satisfaction = field(default_factory=Satisfaction)
    """How far the projects do what was asked."""

    execution: Funnel = field(default_factory=Funnel)
    """How far the projects came when they were run."""

    def add(self, record: Scored) -> None:
        self.generated += bool(record.files)
        self.asked += satisfaction_of_row(record.constraints, record.delivery)
        execution = execution_of(record)
        if execution is not None:
            self.execution.add(execution)
        if record.failure:
            self.failures[f"{record.failure.stage}: {record.failure.kind}"] += 1
            self.first_failure = self.first_failure or record.failure.message
        for name, value in _scores_of(record).items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1

    def means(self) -> dict[str, float]:
        return {name: total / count for name, (total, count) in self.sums.items()}


def _scores_of(record: Scored) -> dict[str, float]:
    """The scores that the row has, by their names, in the order in which the summary shows them."""
    scores = record.scores
    if scores is None:
        return {}
    values: dict[str, float | None] = {name: getattr(scores, name) for name in MEASURES}
    # Counted as numbers too, so that their means are a share and an average count.
    values["parses"] = float(scores.parses)
    values["undefined_names"] = float(len(scores.undefined_names))
    return {name: value for name, value in values.items() if value is not None}


def _asked(asked: Satisfaction) -> dict[str, object]:
    """The counts, and the shares by their names in the literature."""
    return {
        "csr": asked.constraint_rate,
        "ssr": asked.row_rate,
        "csr_strict": asked.strict_constraint_rate,
        "ssr_strict": asked.strict_row_rate,
        **asdict(asked),
    }


def write_run_manifest(store: RunStore, made_from: Mapping[str, object], summary: RunSummary) -> None:
    """Writes manifest.json: the installed versions, what the run was `made_from`, and its counts.

    `made_from`: settings, seed, digests of what the run read.
    """
    stage_seconds = {name: round(value, 3) for name, value in store.stage_seconds().items()}
    counts: dict[str, object] = {
        "rows_in": summary.rows,
        "rows_generated": summary.generated,
        "rows_failed": sum(summary.failures.values()),
        "rows_pending": summary.pending,
        "stopped": summary.stopped,
        "failures": summary.failures,
        "asked": _asked(summary.asked),
        "means": summary.means,
        "calls": asdict(summary.calls),
        "server_steps": list(summary.server_steps),
        "seconds": summary.seconds,
        "rows_per_second": summary.rows_per_second,
        "rows_resumed": summary.resumed_rows,
        "stage_seconds": stage_seconds,
    }
    if summary.execution.projects:
        counts["execution"] = summary.execution.manifest()
    write_manifest(store.folder, {"versions": versions_of(_VERSIONED), **made_from, **counts})
