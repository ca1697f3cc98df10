"""Proof that the sets do not leak into each other: from the written files, by exact comparison of every pair of sets.

Nothing of the split is reused but the definition of "too similar" (the contamination firewall's): texts are read and
shingled anew, and the search misses no pair (`corpus_build.divide.overlap`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from corpus_build.deduplicate.shingles import Hashes, word_shingles
from corpus_build.divide.overlap import OverlapIndex
from corpus_build.divide.split import SETS, TRAIN
from corpus_build.records import EvalRow
from corpus_build.settings import SplitSettings
from corpus_build.steps import CODE_NGRAM, REQUIREMENT_NGRAM
from corpus_build.store import CorpusStore
from corpus_build.write.datasets import read_dataset
from pipeline.retrieval.tokenize import words

MOST_LEAKS = 1000
"""Leaks that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Two rows of different sets that are too similar: by `same requirement`, `requirement`, `code` or `cluster`."""

    by: str
    first_set: str
    first_id: str
    second_set: str
    second_id: str
    similarity: float

    def __str__(self) -> str:
        return f"{self.first_id} ({self.first_set}) and {self.second_id} ({self.second_set}): {self.by}"


@dataclass(slots=True)
class Audit:
    """Rows by set, the number of leaks by pair of sets and kind, and the first of them by name."""

    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)

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


def audit(store: CorpusStore, settings: SplitSettings) -> Audit:
    """Compares every two sets of a written build. All sets but train are held in memory, train streams past them."""
    found = Audit()
    held = {name: _Held(list(_fingerprints(store, name)), settings) for name in SETS if name != TRAIN}
    for first, second in combinations(held, 2):
        for print_ in held[second].prints:
            for leak in held[first].leaks(first, second, print_):
                found.add(leak)
    found.rows = {name: len(index.prints) for name, index in held.items()} | {TRAIN: 0}
    for print_ in _fingerprints(store, TRAIN):
        found.rows[TRAIN] += 1
        for name, index in held.items():
            for leak in index.leaks(name, TRAIN, print_):
                found.add(leak)
    return found


@dataclass(frozen=True, slots=True)
class _Print:
    """A row as the audit compares it; `requirement` is its words in lower case."""

    id: str
    requirement: str
    requirement_shingles: Hashes
    code_shingles: Hashes
    cluster: str
    code_digest: str


def _fingerprints(store: CorpusStore, name: str) -> Iterator[_Print]:
    for row in read_dataset(store, name):
        code = row.reference if isinstance(row, EvalRow) else row.code
        yield _Print(
            id=row.id,
            requirement=" ".join(words(row.requirement)),
            requirement_shingles=word_shingles(row.requirement, REQUIREMENT_NGRAM),
            code_shingles=word_shingles(code, CODE_NGRAM),
            cluster=row.provenance.cluster,
            code_digest=row.provenance.code_digest,
        )


class _Held:
    """A set in memory, to be asked which of its rows another set's row is too similar to."""

    def __init__(self, prints: list[_Print], settings: SplitSettings) -> None:
        self.prints = prints
        self._requirements = OverlapIndex(
            [item.requirement_shingles for item in prints], settings.requirement_similarity
        )
        self._codes = OverlapIndex([item.code_shingles for item in prints], settings.code_similarity)
        self._exact: dict[tuple[str, str], list[_Print]] = {}
        for item in prints:
            for by, value in _identities(item):
                self._exact.setdefault((by, value), []).append(item)

    def leaks(self, own: str, other: str, row: _Print) -> Iterator[Leak]:
        """The leaks between this set, called `own`, and a row of the set `other`."""
        for key in _identities(row):
            for item in self._exact.get(key, ()):
                yield Leak(key[0], own, item.id, other, row.id, 1.0)
        for by, index, shingles in (
            ("near requirement", self._requirements, row.requirement_shingles),
            ("near code", self._codes, row.code_shingles),
        ):
            for number, similarity in index.similar(shingles):
                yield Leak(by, own, self.prints[number].id, other, row.id, round(similarity, 4))


def _identities(row: _Print) -> Iterator[tuple[str, str]]:
    """What must not be equal in two sets. Requirements without a word are not compared."""
    if row.requirement:
        yield "same requirement", row.requirement
    yield "same code", row.code_digest
    yield "same cluster", row.cluster
    yield "same id", row.id
