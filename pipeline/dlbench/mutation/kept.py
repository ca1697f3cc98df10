"""What no operator may change: code, numbers, names, quotations, and how a text is laid out."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.dlbench.mutation.operators import BROKEN
from pipeline.errors import StageFailure

_KEPT = re.compile(
    r"```.*?(?:```|\Z)"  # code in fences
    r"|^(?: {4}|\t).*$"  # code by indentation
    r"|^[ \t]*(?:@|def |class |import |from |>>> |\.\.\. ).*$"
    r"|`[^`\n]*`"
    r"|\"[^\"\n]*\""
    r"|https?://\S+"
    r"|\b[A-Za-z_]\w*(?:\.\w+)+(?:\([^()\n]*\))?"  # dotted names
    r"|\b\w+\([^()\n]*\)"  # calls and shapes
    r"|\b\w*_\w*\b"  # snake_case
    r"|\b[a-z]+[A-Z]\w*\b|\b[A-Z][a-z]+[A-Z]\w*\b"  # camelCase
    r"|\b[A-Z]{2,}\w*\b"  # acronyms and constants
    r"|-?\b\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\b",
    re.MULTILINE | re.DOTALL,
)

_MARK = "\ue000"
"""Stands for a kept piece while the rest is changed; of Unicode's private use."""

_LIST = re.compile(r"^([ \t]*(?:[-*+]|\d+[.)])[ \t]+)", re.MULTILINE)


def kept_pieces(text: str) -> list[str]:
    """The pieces, in order."""
    return [match.group() for match in _KEPT.finditer(text)]


def changing_the_rest(text: str, change: Callable[[str], str]) -> str:
    """The text with all but the kept pieces given to `change`, which sees a mark in the place of each."""
    pieces = kept_pieces(text)
    changed = change(_KEPT.sub(_MARK, text))
    parts = changed.split(_MARK)
    if len(parts) != len(pieces) + 1:
        raise StageFailure(BROKEN, "a piece of code, a number or a name was lost")
    result = parts[0]
    for piece, part in zip(pieces, parts[1:], strict=True):
        result += piece + part
    return result


def check_kept(before: str, after: str, *, ordered: bool = False) -> None:
    """Raises StageFailure (`invariant_broken`) where pieces are not the same ones, or lists and lines of code were
    flattened. Their order may change: a sentence turned round names things in another one."""
    old, new = kept_pieces(before), kept_pieces(after)
    if (old != new) if ordered else (sorted(old) != sorted(new)):
        lost = [piece for piece in old if piece not in new] or [piece for piece in new if piece not in old] or old[:1]
        raise StageFailure(BROKEN, f"{lost[0][:60]!r} is not as it was")
    if len(_LIST.findall(before)) != len(_LIST.findall(after)):
        raise StageFailure(BROKEN, "the list has not as many points as before")
