"""The fenced blocks of a Markdown text, each with its language and the file it is meant for."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t>]{0,12}(?P<mark>`{3,}+|~{3,}+)[ \t]*+(?P<info>[^`]*)$")
_NAME = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w-]+/){0,4}[\w-]{1,60}\.(?:py|ipynb|txt|ya?ml|json|sh|md|cfg|toml))(?![\w/])"
)
_HEADING = 160
"""Characters up to which the line before a block is taken for its heading, not for a sentence."""

_COMMENT = 80
"""Characters below which a block's first comment may name its file."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    """In lower case; "" where none is given."""

    path: str
    """The file name beside the language, in the line before the block or in its first comment; else ""."""

    text: str
    """Without the indentation that all lines share."""

    closed: bool
    """Whether its fence was closed."""


def fenced_blocks(text: str) -> list[Block]:
    """The blocks in order. A fence closes with a mark at least as long as it opened with, and alone on its line; one
    that is never closed goes on to the end. A fence with a language inside an open block of Python starts a new block:
    a model that forgot the closing one is commoner than Markdown within Python."""
    blocks: list[Block] = []
    mark, info, heading, lines = "", "", "", list[str]()
    before = ""
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if not mark:
            if fence:
                mark, info, heading, lines = fence["mark"], fence["info"].strip(), before, []
            elif line.strip():
                before = line
        elif fence and _closes(fence, mark):
            blocks.append(_block(info, heading, lines, closed=True))
            mark, before = "", ""
        elif fence and _is_python(fence["info"]) and _is_python(info):
            blocks.append(_block(info, heading, lines, closed=False))
            mark, info, heading, lines = fence["mark"], fence["info"].strip(), "", []
        else:
            lines.append(line)
    if mark:
        blocks.append(_block(info, heading, lines, closed=False))
    return blocks


def _closes(fence: re.Match[str], opening: str) -> bool:
    """Whether a fence closes the one that was opened with a mark: of the same sort, as long, and without a language."""
    mark = fence["mark"]
    return mark[0] == opening[0] and len(mark) >= len(opening) and not fence["info"].strip()


def _is_python(info: str) -> bool:
    return info.strip().lower().startswith(("python", "py", "ipython"))


def _block(info: str, heading: str, lines: list[str], *, closed: bool) -> Block:
    text = textwrap.dedent("\n".join(lines)).strip("\n")
    language = re.split(r"[\s:{,]", info, maxsplit=1)[0].lower()
    if "." in language:  # ```train.py: a file's name in the language's place
        language = ""
    return Block(language, _path(info, heading, text), text, closed)


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
