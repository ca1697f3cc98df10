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

from corpus_build.deduplicate.shingles import Hashes, jaccard

Numbers = npt.NDArray[np.int64]

SAMPLE = 256
"""Sets of a collection that tell which elements are rare."""

_LOWER = np.uint64(2**32 - 1)
_UPPER = ~_LOWER


class OverlapIndex:
    """The sets of a collection, by number, ready to be asked for those similar to another set.

    Beside the sets it holds 8 bytes for each element of their prefixes: its upper half, and the set's number. Which
    elements are rare is told by SAMPLE sets, which bounds memory; a worse order only means more candidates.
    """

    def __init__(self, sets: Sequence[Hashes], threshold: float) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"a Jaccard threshold is above 0 and at most 1, not {threshold}")
        self._sets, self._threshold = sets, threshold
        sample = np.concatenate([*sets[:: -(-len(sets) // SAMPLE) or 1], np.empty(0, np.uint64)])
        elements, counts = np.unique(sample, return_counts=True)
        self._elements, self._counts = elements[counts > 1], counts[counts > 1]
        prefixes = [(self._prefix(found) & _UPPER) | np.uint64(number) for number, found in enumerate(sets)]
        self._entries = np.concatenate([*prefixes, np.empty(0, np.uint64)])
        self._entries.sort()

    def similar(self, found: Hashes) -> list[tuple[int, float]]:
        """The numbers of the sets whose similarity is at least the threshold, with it; in the order of numbers."""
        if not len(found) or not len(self._entries):
            return []
        prefix = self._prefix(found) & _UPPER
        left = np.searchsorted(self._entries, prefix, "left")
        right = np.searchsorted(self._entries, prefix | _LOWER, "right")
        hits = [self._entries[a:b] & _LOWER for a, b in zip(left.tolist(), right.tolist(), strict=True) if a < b]
        candidates: list[int] = np.unique(np.concatenate(hits)).tolist() if hits else []
        values = ((number, jaccard(self._sets[number], found)) for number in candidates)
        return [(number, value) for number, value in values if value >= self._threshold]

    def _prefix(self, found: Hashes) -> Hashes:
        length = len(found) - math.ceil(self._threshold * len(found) - 1e-9) + 1 if len(found) else 0
        prefix: Hashes = found[np.lexsort((found, self._frequency(found)))][:length]
        return prefix

    def _frequency(self, found: Hashes) -> Numbers:
        """How many sets of the sample hold each element; 0 also for one."""
        if not len(self._elements):
            return np.zeros(len(found), np.int64)
        places = np.minimum(np.searchsorted(self._elements, found), len(self._elements) - 1)
        return np.where(self._elements[places] == found, self._counts[places], 0)
