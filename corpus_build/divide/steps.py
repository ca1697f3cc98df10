"""The step of the division over one shard: which of its rows are too similar to a row of a set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from corpus_build.deduplicate.ragged import read_arrays, unpacked
from corpus_build.deduplicate.shingles import Hashes
from corpus_build.divide.overlap import OverlapIndex
from corpus_build.store import CorpusStore


@dataclass(frozen=True, slots=True)
class Overlap:
    """A row that is too similar to a row of a set."""

    row: int
    """Its number among the extracted rows of the shard."""
    other: int
    """The number of the set's row."""
    by: str
    """`requirement`, `code`, or `tokens` for code without its comments."""
    similarity: float
    """The Jaccard similarity, rounded to four places."""


@dataclass(frozen=True, slots=True)
class OverlapStep:
    """Compares a shard's extracted rows with the rows of a set, whose shingles lie in a file."""

    store: CorpusStore
    folder: str
    """Where set.npz lies and the step's files go, under work/."""
    requirement_similarity: float
    code_similarity: float
    near_similarity: float
    """Of code without its comments, as near-duplicates are told, but exactly."""

    def build(self) -> Callable[[int], int]:
        """The step with its indexes, made once per worker."""
        arrays = read_arrays(self.store.path("work", self.folder, "set.npz"))
        indexes = {
            "requirement": OverlapIndex(unpacked(arrays, "requirement"), self.requirement_similarity),
            "code": OverlapIndex(unpacked(arrays, "code"), self.code_similarity),
            "tokens": OverlapIndex(unpacked(arrays, "tokens"), self.near_similarity),
        }
        return lambda shard: self._compare(shard, indexes)

    def _compare(self, shard: int, indexes: Mapping[str, OverlapIndex]) -> int:
        arrays = read_arrays(self.store.part("shingles", shard, "npz"))
        sets = {by: unpacked(arrays, by) for by in indexes}
        rows = len(sets["requirement"])
        overlaps: list[Overlap] = []
        for row in range(rows):
            overlaps += _overlaps(row, {by: shingles[row] for by, shingles in sets.items()}, indexes)
        self.store.write(self.folder, shard, Overlap, overlaps)
        return rows


def _overlaps(row: int, shingles: Mapping[str, Hashes], indexes: Mapping[str, OverlapIndex]) -> Iterator[Overlap]:
    for by, index in indexes.items():
        for other, similarity in index.similar(shingles[by]):
            yield Overlap(row, other, by, round(similarity, 4))
