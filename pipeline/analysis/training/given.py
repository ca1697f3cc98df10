"""Whether a call is given a setting, and whether that can be read: what is given is no library's default."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analysis.values import Call


@dataclass(frozen=True, slots=True)
class Unread:
    """A setting that the program has and reading cannot tell."""

    reason: str
    line: int | None = None
    """Where it is given, counted from 1."""

    def __str__(self) -> str:
        return self.reason if self.line is None else f"{self.reason} (line {self.line})"


def is_given(call: Call, position: int, *keywords: str) -> bool:
    """Whether the call has an argument under one of the keywords or at the position (none at -1) that is not None."""
    for keyword in keywords:
        if keyword in call.keywords:
            return call.keywords[keyword] is not None
    return 0 <= position < len(call.args) and call.args[position] is not None


def count_given(call: Call, position: int, *keywords: str) -> int | Unread | None:
    """A whole number above 0 that the call is given; None where it is given none."""
    if not is_given(call, position, *keywords):
        return None
    number = whole(call.argument(position, *keywords))
    if number is None:
        return Unread(f"{keywords[0]} is given, but only running would tell its value", call.line)
    return number


def whole(value: object) -> int | None:
    """The value where it is a whole number above 0, else None; `True` is an int to Python."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None
