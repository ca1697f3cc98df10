"""The drop report: one line for every file, what became of it and why; and the counts for the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from corpus_build.divide.assign import Assignment
from corpus_build.records import Clustered, Outcome
from corpus_build.store import CorpusStore, record_writer

REPORT = "drop_report.parquet"
_SCANNED = ["place", "id", "bytes", "reason", "detail"]


@dataclass(slots=True)
class Counts:
    """Files in, and what became of them: `kept` by data set, `dropped` by reason. `read` = kept + dropped."""

    read: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        self.read += 1
        self.bytes += outcome.bytes
        if outcome.reason:
            self.dropped[outcome.reason] += 1
        else:
            self.kept[outcome.outcome] += 1


def write_report(store: CorpusStore, shards: int, assignment: Assignment) -> Counts:
    """Writes the report, a shard in memory at a time, and gives its counts."""
    split = {(row.shard, row.row): row.number for row in assignment.rows}
    counts = Counts()
    with record_writer(store.path(REPORT), Outcome) as writer:
        for shard in range(shards):
            for outcome in _outcomes(store, shard, split, assignment):
                counts.add(outcome)
                writer.add(outcome)
    return counts


def _outcomes(
    store: CorpusStore, shard: int, split: Mapping[tuple[int, int], int], assignment: Assignment
) -> list[Outcome]:
    clusters = {item.row: item for item in store.read("clusters", shard, Clustered)}
    table = store.columns("extracted", shard, ["row", "reason", "detail"])
    extracted = {row["row"]: (number, row["reason"], row["detail"]) for number, row in enumerate(table.to_pylist())}
    found = []
    for number, scanned in enumerate(store.columns("scan", shard, _SCANNED).to_pylist()):
        reason, detail, kept, outcome = scanned["reason"], scanned["detail"], "", "dropped"
        if not reason and clusters[number].reason:
            reason, kept = clusters[number].reason, clusters[number].kept
        elif not reason:
            place, reason, detail = extracted[number]
            if not reason:
                row = split[(shard, place)]
                if row in assignment.dropped:
                    reason, detail, kept = assignment.dropped[row]
                else:
                    outcome = assignment.sets[row]
        found.append(
            Outcome(
                place=scanned["place"],
                id=scanned["id"],
                bytes=scanned["bytes"],
                outcome=outcome,
                reason=reason,
                detail=detail,
                kept=kept,
            )
        )
    return found
