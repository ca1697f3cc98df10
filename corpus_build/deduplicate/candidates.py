"""The notebooks that passed the filter, and exact duplicates among them: equal code counts once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus_build.read.metadata import load_kaggle_facts
from corpus_build.records import KaggleFacts
from corpus_build.store import CorpusStore

_COLUMNS = ["place", "id", "reason", "code_digest", "executed_at", "time_source"]
_NOTHING_KNOWN = KaggleFacts()
_BEFORE_ANY_DATE = float("-inf")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A notebook that passed the filter, as deduplication needs it."""

    shard: int
    row: int
    """Its number among the shard's scanned rows."""
    place: str
    id: str
    code_digest: str
    executed_at: float | None
    time_source: str
    kaggle: KaggleFacts

    @property
    def preference(self) -> tuple[float, bool, int, str, str]:
        """The smallest is kept of several: the newest (an undated one is older than any), of one date the kernel's
        current version, then the most voted, then the smallest id and place, so that there is always one."""
        executed_at = _BEFORE_ANY_DATE if self.executed_at is None else self.executed_at
        return (-executed_at, not self.kaggle.current, -self.kaggle.votes, self.id, self.place)


@dataclass(frozen=True, slots=True)
class ToSign:
    """A row whose code is the first of its kind, with its code digest."""

    row: int
    digest: str


def read_candidates(store: CorpusStore, shards: int, meta_kaggle: str | None) -> list[Candidate]:
    """All notebooks that passed the filter, with what Meta Kaggle says of them. Where no cell says when a notebook was
    executed, its creation date in Meta Kaggle stands in."""
    passed = list(_passed_rows(store, shards))
    facts: dict[str, KaggleFacts] = {}
    if meta_kaggle:
        facts = load_kaggle_facts(meta_kaggle, (row["id"] for _, _, row in passed))
    candidates = []
    for shard, number, row in passed:
        kaggle = facts.get(row["id"], _NOTHING_KNOWN)
        executed_at, time_source = row["executed_at"], row["time_source"]
        if executed_at is None and kaggle.created_at is not None:
            executed_at, time_source = kaggle.created_at, "kaggle_creation_date"
        candidates.append(
            Candidate(shard, number, row["place"], row["id"], row["code_digest"], executed_at, time_source, kaggle)
        )
    return candidates


def exact_groups(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """The candidates by code digest, digests in order; the first of each list is the one that is kept."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.code_digest, []).append(candidate)
    for members in groups.values():
        if len(members) > 1:
            kept = min(range(len(members)), key=lambda number: members[number].preference)
            members.insert(0, members.pop(kept))
    return dict(sorted(groups.items()))


def write_rows_to_sign(store: CorpusStore, shards: int, groups: Mapping[str, Sequence[Candidate]]) -> None:
    """Writes for each shard its rows that are the first of their kind; a shard that has its file already keeps it,
    since it would be the same."""
    rows: dict[int, list[ToSign]] = {}
    for digest, members in groups.items():
        first = members[0]
        rows.setdefault(first.shard, []).append(ToSign(first.row, digest))
    for shard in store.pending("exact", shards):
        store.write("exact", shard, ToSign, sorted(rows.get(shard, []), key=lambda to_sign: to_sign.row))


def _passed_rows(store: CorpusStore, shards: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Shard, number and columns of every scanned row that has no reason to leave."""
    for shard in range(shards):
        for number, row in enumerate(store.columns("scan", shard, _COLUMNS).to_pylist()):
            if not row["reason"]:
                yield shard, number, row
