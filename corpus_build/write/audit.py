"""Proof that the sets do not leak into each other: from the written files, by exact comparison of every pair of sets.

Nothing of the split is reused but the definition of "too similar" (the contamination firewall's): texts are read and
shingled anew, and the search misses no pair (`corpus_build.divide.overlap`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from corpus_build.deduplicate.shingles import CODE_WORDS, REQUIREMENT_WORDS, Hashes, code_shingles, word_shingles
from corpus_build.divide.overlap import OverlapIndex
from corpus_build.divide.split import SETS, TRAIN
from corpus_build.records import CodeEvalRow
from corpus_build.settings import CorpusSettings
from corpus_build.store import CorpusStore
from corpus_build.write.datasets import read_dataset
from pipeline.retrieval.tokenize import words

MOST_LEAKS = 1000
"""Leaks that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Two rows of different sets that are too similar."""

    by: str
    """`same requirement`, `same code`, `same cluster`, `same id`, `near requirement`, `near code` or `near code
    without comments`."""
    first_set: str
    first_id: str
    second_set: str
    second_id: str
    similarity: float

    def __str__(self) -> str:
        return f"{self.first_id} ({self.first_set}) and {self.second_id} ({self.second_set}): {self.by}"


@dataclass(slots=True)
class Audit:
    """What the comparison of all sets came to."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows by set."""
    counts: dict[str, int] = field(default_factory=dict)
    """Leaks by pair of sets and kind."""
    leaks: list[Leak] = field(default_factory=list)
    """The first MOST_LEAKS of them."""

    @property
    def clean(self) -> bool:
        return not any(self.counts.values())

    def add(self, leak: Leak) -> None:
        key = f"{leak.first_set} / {leak.second_set}: {leak.by}"
        self.counts[key] = self.counts.get(key, 0) + 1
        if len(self.leaks) < MOST_LEAKS:
            self.leaks.append(leak)

    def to_json(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "rows": self.rows,
            "leaks_by_pair": self.counts,
            "leaks": [asdict(leak) for leak in self.leaks],
        }


def audit_sets(store: CorpusStore, settings: CorpusSettings) -> Audit:
    """Compares every two sets of a written build, as the split does and as near-duplicates are told. All sets
    but train are held in memory, train streams past them."""
    audit = Audit()
    held = {name: _HeldSet(name, list(_compared_rows(store, name)), settings) for name in SETS if name != TRAIN}
    for first, second in combinations(held.values(), 2):
        for row in second.rows:
            for leak in first.leaks(second.name, row):
                audit.add(leak)
    audit.rows = {name: len(held_set.rows) for name, held_set in held.items()} | {TRAIN: 0}
    for row in _compared_rows(store, TRAIN):
        audit.rows[TRAIN] += 1
        for held_set in held.values():
            for leak in held_set.leaks(TRAIN, row):
                audit.add(leak)
    return audit


@dataclass(frozen=True, slots=True)
class _ComparedRow:
    """A row as the audit compares it."""

    id: str
    requirement: str
    """Its words in lower case."""
    requirement_shingles: Hashes
    code_shingles: Hashes
    tokens: Hashes
    """Of the code without its comments."""
    cluster: str
    code_digest: str


def _compared_rows(store: CorpusStore, name: str) -> Iterator[_ComparedRow]:
    for row in read_dataset(store, name):
        code = row.reference if isinstance(row, CodeEvalRow) else row.code
        yield _ComparedRow(
            id=row.id,
            requirement=" ".join(words(row.requirement)),
            requirement_shingles=word_shingles(row.requirement, REQUIREMENT_WORDS),
            code_shingles=word_shingles(code, CODE_WORDS),
            tokens=code_shingles(code),
            cluster=row.provenance.cluster,
            code_digest=row.provenance.code_digest,
        )


class _HeldSet:
    """A set in memory, to be asked which of its rows another set's row is too similar to."""

    def __init__(self, name: str, rows: list[_ComparedRow], settings: CorpusSettings) -> None:
        self.name = name
        self.rows = rows
        self._requirements = OverlapIndex(
            [row.requirement_shingles for row in rows], settings.split.requirement_similarity
        )
        self._codes = OverlapIndex([row.code_shingles for row in rows], settings.split.code_similarity)
        self._tokens = OverlapIndex([row.tokens for row in rows], settings.dedup.similarity)
        self._by_identity: dict[tuple[str, str], list[_ComparedRow]] = {}
        for row in rows:
            for identity in _identities(row):
                self._by_identity.setdefault(identity, []).append(row)

    def leaks(self, other_set: str, other: _ComparedRow) -> Iterator[Leak]:
        """The leaks between this set and a row of another one."""
        for by, value in _identities(other):
            for own in self._by_identity.get((by, value), ()):
                yield Leak(by, self.name, own.id, other_set, other.id, 1.0)
        for by, index, shingles in (
            ("near requirement", self._requirements, other.requirement_shingles),
            ("near code", self._codes, other.code_shingles),
            ("near code without comments", self._tokens, other.tokens),
        ):
            for number, similarity in index.similar(shingles):
                yield Leak(by, self.name, self.rows[number].id, other_set, other.id, round(similarity, 4))


def _identities(row: _ComparedRow) -> Iterator[tuple[str, str]]:
    """What must not be equal in two sets. Requirements without a word are not compared."""
    if row.requirement:
        yield "same requirement", row.requirement
    yield "same code", row.code_digest
    yield "same cluster", row.cluster
    yield "same id", row.id
