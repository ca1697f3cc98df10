"""Which items of two sequences correspond: equal ones, in order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher


def aligned(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of indices of equal items, by the longest matching blocks (Ratcliff and Obershelp)."""
    # `autojunk` would drop items that are frequent in long sequences, such as layers of one kind.
    matcher = SequenceMatcher(a=first, b=second, autojunk=False)
    pairs: list[tuple[int, int]] = []
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            pairs.append((block.a + offset, block.b + offset))
    return pairs
