"""How names and counts are put into words. Only what passes here reaches the attributes."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.foreign_text import visible

NAME_LENGTH = 40
"""Characters of a column's, class's or file's name that are shown."""

NAMES_SHOWN = 12
"""Names of one list that are shown."""


def shown_name(name: str) -> str:
    """A name on one line, cut where it is long. What ends a sentence or a list in the attributes becomes a space."""
    printable = "".join(char if char.isprintable() and char not in '`"()[]{}<>' else " " for char in name)
    words = " ".join(printable.split())
    return words if len(words) <= NAME_LENGTH else words[: NAME_LENGTH - 1] + "…"


def one_line(text: str) -> str:
    """A text on one line, whatever names of files in it hold: line breaks, control signs, bytes that are no text."""
    return " ".join(visible(text).split())


def listed(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are: "a, b, c and 4 more"."""
    shown = ", ".join(shown_name(name) for name in names[:NAMES_SHOWN])
    more = len(names) - NAMES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number and what it counts: "1 row", "1,460 rows"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def rounded(count: float) -> int:
    """An estimate with three digits that count: 1,234,567 -> 1,230,000."""
    return int(float(f"{count:.3g}"))


def pixels(height: int, width: int) -> str:
    """An image size in the words that no reader takes for width x height."""
    return f"{height}x{width} pixels (height x width)"
