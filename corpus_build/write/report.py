"""The drop report: one line for every file, what became of it and why; and the counts for the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from corpus_build.divide.assign import Assignment
from corpus_build.records import Clustered, Outcome
from corpus_build.store import CorpusStore, record_writer

REPORT_FILE = "drop_report.parquet"
_SCANNED = ["place", "id", "bytes", "reason", "detail"]


@dataclass(slots=True)
class OutcomeCounts:
    """Files in, and what became of them: `read` = kept + dropped."""

    read: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    """By data set."""
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        self.read += 1
        self.bytes += outcome.bytes
        if outcome.reason:
            self.dropped[outcome.reason] += 1
        else:
            self.kept[outcome.outcome] += 1


def write_drop_report(store: CorpusStore, shards: int, assignment: Assignment) -> OutcomeCounts:
    """Writes the report, a shard in memory at a time, and gives its counts."""
    numbers = {(row.shard, row.row): row.number for row in assignment.rows}
    counts = OutcomeCounts()
    with record_writer(store.path(REPORT_FILE), Outcome) as writer:
        for shard in range(shards):
            for outcome in _outcomes(store, shard, numbers, assignment):
                counts.add(outcome)
                writer.add(outcome)
    return counts


def _outcomes(
    store: CorpusStore, shard: int, numbers: Mapping[tuple[int, int], int], assignment: Assignment
) -> Iterator[Outcome]:
    """The outcomes of a shard's files. Each file leaves at one of four steps: scan, deduplication, extraction, split.

    `numbers` gives the number in the split of extracted row (shard, row).
    """
    clusters = {clustered.row: clustered for clustered in store.read("clusters", shard, Clustered)}
    extracted_rows = store.columns("extracted", shard, ["row", "reason", "detail"]).to_pylist()
    extracted = {row["row"]: (number, row["reason"], row["detail"]) for number, row in enumerate(extracted_rows)}
    for number, scanned in enumerate(store.columns("scan", shard, _SCANNED).to_pylist()):
        outcome, kept = "dropped", ""
        reason, detail = scanned["reason"], scanned["detail"]
        if not reason:
            reason = clusters[number].reason
            if reason:
                kept = clusters[number].kept
        if not reason:
            extracted_row, reason, detail = extracted[number]
            if not reason:
                split_number = numbers[(shard, extracted_row)]
                if split_number in assignment.dropped:
                    reason, detail, kept = assignment.dropped[split_number]
                else:
                    outcome = assignment.sets[split_number]
        yield Outcome(
            place=scanned["place"],
            id=scanned["id"],
            bytes=scanned["bytes"],
            outcome=outcome,
            reason=reason,
            detail=detail,
            kept=kept,
        )
