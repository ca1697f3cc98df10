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

from corpus_build.deduplicate.shingles import Hashes, shingle_similarity

SAMPLE = 256
"""Sets of a collection that tell which elements are rare."""

# An entry of the index is an element's upper half with the number of its set in the lower half.
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
        step = math.ceil(len(sets) / SAMPLE) or 1
        sample = np.concatenate([*sets[::step], np.empty(0, np.uint64)])
        elements, counts = np.unique(sample, return_counts=True)
        self._common_elements, self._counts = elements[counts > 1], counts[counts > 1]
        entries = [np.empty(0, np.uint64)]
        for number, shingles in enumerate(sets):
            entries.append((self._prefix(shingles) & _UPPER) | np.uint64(number))
        self._entries = np.concatenate(entries)
        self._entries.sort()

    def similar(self, shingles: Hashes) -> list[tuple[int, float]]:
        """The numbers of the sets whose similarity is at least the threshold, with it; in the order of numbers."""
        pairs = []
        for number in self._candidates(shingles):
            similarity = shingle_similarity(self._sets[number], shingles)
            if similarity >= self._threshold:
                pairs.append((number, similarity))
        return pairs

    def _candidates(self, shingles: Hashes) -> list[int]:
        """The numbers of the sets that share an element of their prefix with this one's, in order."""
        if not len(shingles) or not len(self._entries):
            return []
        prefix = self._prefix(shingles) & _UPPER
        starts = np.searchsorted(self._entries, prefix, "left").tolist()
        ends = np.searchsorted(self._entries, prefix | _LOWER, "right").tolist()
        numbers = [np.empty(0, np.uint64)]
        for start, end in zip(starts, ends, strict=True):
            if start < end:
                numbers.append(self._entries[start:end] & _LOWER)
        candidates: list[int] = np.unique(np.concatenate(numbers)).tolist()
        return candidates

    def _prefix(self, shingles: Hashes) -> Hashes:
        """The rarest elements of a set, as many as two sets cannot both do without and still be similar enough."""
        if not len(shingles):
            return shingles
        # Rounding must not shorten the prefix, or pairs are missed: 0.55 * 100 is 55.00000000000001.
        length = len(shingles) - math.ceil(self._threshold * len(shingles) - 1e-9) + 1
        rarest_first = np.lexsort((shingles, self._frequency(shingles)))
        prefix: Hashes = shingles[rarest_first][:length]
        return prefix

    def _frequency(self, shingles: Hashes) -> npt.NDArray[np.int64]:
        """How many sets of the sample hold each element; 0 also for one."""
        if not len(self._common_elements):
            return np.zeros(len(shingles), np.int64)
        indices = np.minimum(np.searchsorted(self._common_elements, shingles), len(self._common_elements) - 1)
        return np.where(self._common_elements[indices] == shingles, self._counts[indices], 0)
