"""Putting a reply that was cut off together with what the model wrote when it was asked to go on."""

from __future__ import annotations

import re

LONGEST_OVERLAP = 4_000
"""Characters: a model that repeats more than that has started over."""

_SHORTEST_OVERLAP = 8
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_OPENING = re.compile(r"\A\s*+(?:[^\n]{0,200}\n\s*+)?(?:```|~~~)[\w+-]*+[ \t]*+\n")


def splice(begun: str, more: str) -> str:
    """The text so far with its continuation: a fence that was opened again and what was repeated are left out.

    A continuation that starts over and gets further than the text so far replaces it.
    """
    if len(more) > len(begun) > LONGEST_OVERLAP and more.startswith(begun[:LONGEST_OVERLAP]):
        return more
    if _open_fence(begun) or not _FENCE.search(begun):
        more = _OPENING.sub("", more, count=1)
    for length in range(min(len(begun), len(more), LONGEST_OVERLAP), _SHORTEST_OVERLAP - 1, -1):
        if begun.endswith(more[:length]):
            return begun + more[length:]
    cut_line = begun.rpartition("\n")[2]
    if cut_line.strip() and _starts_line_over(cut_line, more):
        return begun[: len(begun) - len(cut_line)] + more
    return begun + more


def _starts_line_over(cut_line: str, more: str) -> bool:
    """Whether the continuation writes the line that was cut once more, from its beginning."""
    line = more.partition("\n")[0]
    return len(cut_line.strip()) > 2 and line.strip().startswith(cut_line.strip())


def _open_fence(text: str) -> bool:
    return len(_FENCE.findall(text)) % 2 == 1
