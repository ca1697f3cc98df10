"""Which items of two sequences correspond: equal ones, in order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher


def aligned(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Indices of equal items, by the longest matching blocks (Ratcliff and Obershelp)."""
    blocks = SequenceMatcher(a=ours, b=theirs, autojunk=False).get_matching_blocks()
    return [(block.a + offset, block.b + offset) for block in blocks for offset in range(block.size)]
