"""The fenced blocks of a Markdown text, each with its language and the file it is meant for."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from pipeline.analysis.parsing import parsed
from pipeline.llm.asking.code.code_mending import is_markup

_FENCE = re.compile(r"^(?P<before>[ \t>]{0,12})(?P<mark>`{3,}+|~{3,}+)[ \t]*+(?P<info>[^`]*)$")
_LATE_FENCE = re.compile(r"(?P<mark>`{3,}+)[ \t]*+(?P<info>(?:python|py)\d{0,2})[ \t]*$", re.IGNORECASE)
"""A fence that opens at the end of a sentence."""

_CODE_BESIDE = re.compile(r"^(?:python|py)\d{0,2}[ \t]+(?P<code>(?:import|from|def|class|@)[ \t]*\S.*)$", re.IGNORECASE)
"""A program that begins on its fence's line."""

_NAME = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w-]+/){0,4}[\w-]{1,60}\.(?:py|ipynb|txt|ya?ml|json|sh|md|cfg|toml))(?![\w/])"
)
_HEADING = 160
"""Characters up to which the line before a block is taken for its heading, not for a sentence."""

_COMMENT = 80
"""Characters below which a block's first comment may name its file."""

_STRING = re.compile(r"\"\"\"|'''|\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|#")
"""What opens in a line of Python: a long string, a short one (to its end), a comment."""

_WORD = re.compile(r"[A-Za-z][\w+.-]{0,20}")
_LONG_QUOTES = ('"""', "'''")
MARKDOWN = frozenset({"markdown", "md"})
"""Languages of blocks that may hold blocks."""

_QUOTATION = re.compile(r"^[ \t]*>[ ]?")

_MOST_REREAD = 8
"""Blocks of a text that are read once more, since what looked like a long string with a fence in it was none."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    """In lower case; "" where none is given."""

    path: str
    """The file name beside the language, in the line before the block or in its first comment; else ""."""

    text: str
    """Without the indentation or the marks of quotation that all lines share."""

    start: int
    """Where its opening fence begins in the text."""

    end: int
    """Where its closing fence ends, or the next block begins."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """The fence that opens a block."""

    mark: str
    info: str
    heading: str
    quoted: bool
    """Whether it stands in a quotation of Markdown (`> `)."""

    start: int = 0
    """Where the mark begins in its line, behind a sentence."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """The lines of a block."""

    lines: list[str]
    after: int
    """The first line behind the block, its closing fence included."""

    has_fence_in_string: bool = False


def fenced_blocks(text: str) -> list[Block]:
    """The blocks in order. A fence closes with a mark at least as long as it opened with; one that is never closed goes
    on to the end. A fence in a long string of Python is the string's, where the program parses so.

    A fence with a language inside an open block of Python, or of no language, starts a new block: a model that forgot
    the closing one is commoner than Markdown within Python.
    """
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] -= 1  # the last line has no line break
    blocks: list[Block] = []
    before, number, reread = "", 0, 0
    while number < len(lines):
        opening = _opening(lines[number], before)
        if opening is None:
            before = lines[number] if lines[number].strip() else before
            number += 1
            continue
        extent = _extent(lines, number + 1, opening, in_strings=reread < _MOST_REREAD)
        start = starts[number] + opening.start
        block = _block(opening, extent, start, starts[extent.after])
        if extent.has_fence_in_string and parsed(block.text) is None:
            reread += 1
            extent = _extent(lines, number + 1, opening, in_strings=False)
            block = _block(opening, extent, start, starts[extent.after])
        blocks.append(block)
        before, number = "", extent.after
    return blocks


def _opening(line: str, before: str) -> _Opening | None:
    fence = _FENCE.match(line)
    if fence:
        return _Opening(fence["mark"], fence["info"].strip(), before, quoted=">" in fence["before"])
    late = _LATE_FENCE.search(line)
    if late:
        return _Opening(late["mark"], late["info"], line[: late.start()], quoted=False, start=late.start())
    return None


def _extent(lines: list[str], first: int, opening: _Opening, *, in_strings: bool) -> _Extent:
    """The lines of a block that begins at `first`; with `in_strings`, fences within long strings are the program's."""
    inside: list[str] = []
    string, has_fence_in_string = "", False
    for number in range(first, len(lines)):
        line = lines[number]
        fence = _FENCE.match(line)
        if fence and string:
            has_fence_in_string = True
        elif fence and _closes(fence, opening):
            return _Extent(inside, number + 1, has_fence_in_string)
        elif fence and _starts_another(fence, opening):
            return _Extent(inside, number, has_fence_in_string)
        elif not fence and not string and line.rstrip().endswith(opening.mark) and _is_python(opening.info):
            inside.append(line.rstrip()[: -len(opening.mark)])
            return _Extent(inside, number + 1, has_fence_in_string)
        inside.append(line)
        if in_strings:
            string = _open_string(line, string)
    return _Extent(inside, len(lines), has_fence_in_string)


def _closes(fence: re.Match[str], opening: _Opening) -> bool:
    """Whether a fence closes a block: of its sort, as long, without a language; a sentence or a tag is none."""
    mark, info = fence["mark"], fence["info"].strip()
    if mark[0] != opening.mark[0] or len(mark) < len(opening.mark):
        return False
    return (
        not info
        or is_markup(info)
        or (_is_python(opening.info) and " " in info and not _is_python(info) and "=" not in info)
    )


def _starts_another(fence: re.Match[str], opening: _Opening) -> bool:
    """Whether a fence with a language inside an open block is another block's."""
    info = fence["info"].strip()
    is_own = opening.info.lower() in MARKDOWN and len(fence["mark"]) >= len(opening.mark)
    if is_own or _is_python(opening.info) or not opening.info:
        return _is_python(info) or _WORD.fullmatch(info) is not None
    return False


def _is_python(info: str) -> bool:
    return info.strip().lower().lstrip("{.").startswith(("python", "py", "ipython"))


def _open_string(line: str, quotes: str) -> str:
    """The quotes of the long string of Python that is open behind a line, where those of `quotes` were before it."""
    position = 0
    while True:
        if quotes:
            end = line.find(quotes, position)
            if end < 0:
                return quotes
            position, quotes = end + 3, ""
        match = _STRING.search(line, position)
        if match is None or match[0] == "#":
            return ""
        position = match.end()
        if match[0] in _LONG_QUOTES:
            quotes = match[0]


def _block(opening: _Opening, extent: _Extent, start: int, end: int) -> Block:
    lines, info = extent.lines, opening.info
    if opening.quoted:
        lines = [_QUOTATION.sub("", line) for line in lines]
    beside = _CODE_BESIDE.match(info)
    if beside:
        lines, info = [beside["code"], *lines], "python"
    text = textwrap.dedent("\n".join(lines)).strip("\n")
    language = re.split(r"[\s:,{}]", info.lower().lstrip("{."), maxsplit=1)[0]
    if "." in language:  # ```train.py: a file's name in the language's place
        language = ""
    return Block(language, _path(info, opening.heading, text), text, start, end)


def _path(info: str, heading: str, text: str) -> str:
    """The file that a block is meant for, as the first of these says that names one."""
    named = [info]
    if len(heading) <= _HEADING:
        named.append(heading)
    first = text.partition("\n")[0]
    if first.startswith("#") and not first.startswith("#!") and len(first) < _COMMENT:
        named.append(first)
    for words in named:
        match = _NAME.search(words)
        if match:
            return match["path"]
    return ""
