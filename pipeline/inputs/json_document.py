"""The elements of a JSON document, one at a time, from a text of any length."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.inputs.lines import LINE_LIMIT
from pipeline.inputs.rows import EXCERPT, Problem

_OPENING = re.compile(r'\s*(?:\[|(\{\s*"requirements"\s*:\s*\[))')
_BETWEEN = re.compile(r"[\s,]*")
_FIRST_INDENT = re.compile(r"\s*\n([ \t]*)(?=\S)")
_LONGEST_TOKEN = 16
"""Characters within which an error at the end of the window may be a token that is not yet complete."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of an element that could not be read: why, and how its text begins where that is useful."""

    problem: Problem
    excerpt: str = ""


class _TooLongError(Exception):
    """An element does not end within LINE_LIMIT characters."""


class JsonDocument:
    """A list, {"requirements": [...]}, or values one after another, decoded from a window that moves over the text.

    At most LINE_LIMIT characters and a chunk are in memory. The wrapper is looked into where "requirements" is its
    first key; with other keys before, it is one element. An element that cannot be read costs itself alone where each
    starts on a line of its own; without such lines the next one cannot be found, and the last element says so.
    """

    def __init__(self, chunks: Iterator[bytes], decoder: json.JSONDecoder) -> None:
        # A byte that is not UTF-8 becomes a surrogate, which later fails the element it stands in and no other.
        self._bytes_decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._chunks = chunks
        self._decoder = decoder
        self._window = ""
        self._at = 0
        self._lost = False

    def elements(self) -> Iterator[object]:
        """The decoded elements in order, an Unreadable in the place of each that could not be decoded."""
        while not self._window.strip() and self._read_on():
            pass
        opening = _OPENING.match(self._window)
        self._at = opening.end() if opening else 0
        indent = _FIRST_INDENT.match(self._window, self._at)
        next_start = re.compile(rf"\n{indent[1] if indent else ''}(?=[{{\"])")
        while (mark := self._next_mark()) and not (opening and mark == "]"):
            try:
                element, self._at = self._decode()
            except _TooLongError:
                excerpt = self._window[self._at : self._at + EXCERPT]
                reason = f'longer than {LINE_LIMIT:,} characters (a wrapper needs "requirements" as its first key)'
                yield Unreadable(("too_long", reason + self._way_out(self._find(next_start))), excerpt)
            except (ValueError, RecursionError) as error:
                reason = "nested too deeply" if isinstance(error, RecursionError) else f"not JSON: {error}"
                yield Unreadable(("broken_json", reason + self._way_out(self._find(next_start))))
            else:
                yield element
        if self._lost or not opening:
            return
        if not mark:
            yield Unreadable(("broken_json", "the list has no end, so elements may be missing; get the whole file"))
        elif not opening[1]:
            self._at += 1
            if self._next_mark():
                yield Unreadable(("broken_json", "text follows the end of the list; put all elements into one list"))

    def _next_mark(self) -> str:
        """The first character of the next element, or of the list's end; "" at the end of the text."""
        while True:
            self._at = _BETWEEN.match(self._window, self._at).end()  # type: ignore[union-attr]  # matches always
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._read_on():
                return ""

    def _decode(self) -> tuple[object, int]:
        """The element at the window's position and where it ends, with as much read on as that takes."""
        while True:
            try:
                element, end = self._decoder.raw_decode(self._window, self._at)
                # A number that ends with the window may go on after it.
                if end < len(self._window) or not self._read_on():
                    return element, end
            except json.JSONDecodeError as error:
                incomplete = error.msg.startswith("Unterminated") or error.pos > len(self._window) - _LONGEST_TOKEN
                if not incomplete:
                    raise
                if len(self._window) - self._at > LINE_LIMIT:
                    raise _TooLongError from error
                if not self._read_on():
                    raise

    def _find(self, start: re.Pattern[str]) -> bool:
        """Moves to the next element that starts on a line of its own; to the end of the text where there is none."""
        while True:
            if match := start.search(self._window, self._at + 1):
                self._at = match.end()
                return True
            # What is kept may hold the beginning of a match; the indentation is part of the pattern.
            self._at = max(self._at, len(self._window) - len(start.pattern) - 1)
            if not self._read_on():
                self._at = len(self._window)
                self._lost = True
                return False

    def _way_out(self, found_again: bool) -> str:
        if found_again:
            return "; mend or remove it"
        return "; nothing after it could be read: mend it, or write an object a line (.jsonl)"

    def _read_on(self) -> bool:
        """Moves the window on by as much as it holds, at least a chunk; False at the end of the text."""
        parts = [self._window[self._at :]]
        self._at = 0
        wanted = len(parts[0]) or 1
        for chunk in self._chunks:
            parts.append(self._bytes_decoder.decode(chunk))
            wanted -= len(parts[-1])
            if wanted <= 0:
                break
        self._window = "".join(parts)
        return len(self._window) > len(parts[0])
