"""The elements of a JSON document, one at a time, from a text of any length."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.inputs.lines import LINE_LIMIT
from pipeline.inputs.rows import EXCERPT, Problem

_OPENING = re.compile(r'\s*(?:\[|(?P<wrapper>\{\s*"requirements"\s*:\s*\[))')
_BETWEEN = re.compile(r"[\s,]*")
_FIRST_INDENT = re.compile(r"\s*\n([ \t]*)(?=\S)")

_LONGEST_TOKEN = 16
"""Characters within which an error at the end of the window may be a token that is not yet complete: the longest that
the decoder takes whole are `-Infinity` and an escaped surrogate pair, of 9 and 12 characters."""


_MOST_TOO_DEEP = 500
"""Elements one after another that may be nested too deeply: to find that out takes the depth of each, not its length,
and every line of one endless element may start the next."""

_READ_ELEMENTS = 4096
"""Characters of elements that are done with up to which the window keeps them: an error counts all lines before it."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for an element that could not be read."""

    problem: Problem

    excerpt: str = ""
    """How its text begins, where that is useful."""


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
        self._at = 0  # in the window: what lies before it is done with
        self._lines_before = 0  # line breaks that the window has moved past
        self._characters_before = 0
        self._too_deep = 0  # elements up to here that were nested too deeply, one after another
        self._lost = False  # whether an element was broken and no next one could be found

    def elements(self) -> Iterator[object]:
        """The decoded elements in order; an Unreadable stands for each that could not be decoded."""
        while not self._window.strip() and self._read_on():
            pass  # blanks before the document may fill several chunks
        opening = _OPENING.match(self._window)
        self._at = opening.end() if opening else 0
        next_start = self._element_start()
        mark = self._next_mark()
        while mark and not (opening and mark == "]"):
            yield self._element(next_start)
            mark = self._next_mark()
        if opening and not self._lost:
            yield from self._end_of_list(mark, in_wrapper=opening["wrapper"] is not None)

    def _element_start(self) -> re.Pattern[str]:
        """Where an element starts on a line of its own: as far indented as the first one."""
        indent = _FIRST_INDENT.match(self._window, self._at)
        return re.compile(rf"\n{indent[1] if indent else ''}(?=[{{\"])")

    def _element(self, next_start: re.Pattern[str]) -> object:
        """The element at the window's position; afterwards the position is behind it."""
        if self._at > _READ_ELEMENTS:
            # Up to the line's start, so that columns stay right.
            self._forget(self._window.rfind("\n", 0, self._at) + 1)
        try:
            element, self._at = self._decode()
        except _TooLongError:
            excerpt = self._window[self._at : self._at + EXCERPT]
            reason = f'longer than {LINE_LIMIT:,} characters (a wrapper needs "requirements" as its first key)'
            return Unreadable(("too_long", reason + self._skip(next_start)), excerpt)
        except RecursionError:
            self._too_deep += 1
            return Unreadable(("broken_json", "nested too deeply" + self._skip(next_start)))
        except json.JSONDecodeError as error:
            line, character = self._lines_before + error.lineno, self._characters_before + error.pos
            place = f"line {line} column {error.colno} (char {character})"
            return Unreadable(("broken_json", f"not JSON: {error.msg}: {place}" + self._skip(next_start)))
        except ValueError as error:  # a number of thousands of digits
            return Unreadable(("broken_json", f"not JSON: {error}" + self._skip(next_start)))
        self._too_deep = 0
        return element

    def _forget(self, end: int) -> None:
        """Moves the window's start on to `end`, which is not behind its position."""
        self._lines_before += self._window.count("\n", 0, end)
        self._characters_before += end
        self._window = self._window[end:]
        self._at -= end

    def _end_of_list(self, mark: str, *, in_wrapper: bool) -> Iterator[Unreadable]:
        """What is wrong behind the last element, if anything: elements may be missing there."""
        if not mark:
            yield Unreadable(("broken_json", "the list has no end, so elements may be missing; get the whole file"))
        elif not in_wrapper:  # a wrapper may have further keys
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

    def _skip(self, start: re.Pattern[str]) -> str:
        """Moves to the next element that starts on a line of its own; to the end of the text where there is none.

        Gives the end of the message about the element that was skipped: what to do about it.
        """
        while True:
            match = start.search(self._window, self._at + 1)
            if match and self._too_deep <= _MOST_TOO_DEEP:
                self._at = match.end()
                return "; mend or remove it"
            # What is kept may hold the beginning of a match; the indentation is part of the pattern.
            self._at = max(self._at, len(self._window) - len(start.pattern) - 1)
            if not self._read_on():
                self._at = len(self._window)
                self._lost = True
                return "; nothing after it could be read: mend it, or write an object a line (.jsonl)"

    def _read_on(self) -> bool:
        """Moves the window on by as much as it holds, at least a chunk; False at the end of the text.

        Doubling keeps the work linear: an element is decoded anew from its start whenever the window has grown.
        """
        self._forget(self._at)
        rest = self._window
        parts = [rest]
        missing = len(rest) or 1
        for chunk in self._chunks:
            text = self._bytes_decoder.decode(chunk)
            parts.append(text)
            missing -= len(text)
            if missing <= 0:
                break
        self._window = "".join(parts)
        return len(self._window) > len(rest)
