"""Exact search for similar sets: which rows of a small collection a row of a large one is similar to.

Two sets whose Jaccard similarity is at least t share one of the first |x| - ceil(t |x|) + 1 elements of each, in any
order of elements that both follow (prefix filtering; Chaudhuri, Ganti and Kaushik, 2006). With the rarest first, few
candidates remain, and those are compared in full. So nothing is missed, unlike with LSH: the audit rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from corpus_build.shingles import Hashes, jaccard

Numbers = npt.NDArray[np.int64]


class OverlapIndex:
    """The sets of a collection, by number, ready to be asked for those similar to another set."""

    def __init__(self, sets: Sequence[Hashes], threshold: float) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"a Jaccard threshold is above 0 and at most 1, not {threshold}")
        self._sets, self._threshold = sets, threshold
        everything = np.concatenate([*sets, np.empty(0, np.uint64)])
        self._elements, self._counts = np.unique(everything, return_counts=True)
        prefixes = [self._prefix(found) for found in sets]
        owners = np.repeat(np.arange(len(sets)), [len(prefix) for prefix in prefixes])
        keys = np.concatenate([*prefixes, np.empty(0, np.uint64)])
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], owners[order]

    def similar(self, found: Hashes) -> list[tuple[int, float]]:
        """The numbers of the sets whose similarity is at least the threshold, with it; in the order of numbers."""
        if not len(found) or not len(self._keys):
            return []
        prefix = self._prefix(found)
        left, right = (np.searchsorted(self._keys, prefix, side) for side in ("left", "right"))
        hits = [self._owners[a:b] for a, b in zip(left.tolist(), right.tolist(), strict=True) if a < b]
        candidates: list[int] = np.unique(np.concatenate(hits)).tolist() if hits else []
        values = ((number, jaccard(self._sets[number], found)) for number in candidates)
        return [(number, value) for number, value in values if value >= self._threshold]

    def _prefix(self, found: Hashes) -> Hashes:
        length = len(found) - math.ceil(self._threshold * len(found) - 1e-9) + 1 if len(found) else 0
        prefix: Hashes = found[np.lexsort((found, self._frequency(found)))][:length]
        return prefix

    def _frequency(self, found: Hashes) -> Numbers:
        """How many of the collection's sets hold each element."""
        if not len(self._elements):
            return np.zeros(len(found), np.int64)
        places = np.minimum(np.searchsorted(self._elements, found), len(self._elements) - 1)
        return np.where(self._elements[places] == found, self._counts[places], 0)
