"""The fenced blocks of a Markdown text, each with its language and the file it is meant for."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t>]{0,12}(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_NAME = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w-]+/){0,4}[\w-]{1,60}\.(?:py|ipynb|txt|ya?ml|json|sh|md|cfg|toml))(?![\w/])"
)
_HEADING = 160
"""Characters up to which the line before a block is taken for its heading, not for a sentence."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language in lower case ("" where none is given), the file name in its heading or "", its
    text, and whether its fence was closed."""

    language: str
    path: str
    text: str
    closed: bool


def fenced_blocks(text: str) -> list[Block]:
    """The blocks in order. A fence closes with a mark at least as long as it opened with, and alone on its line; one
    that is never closed goes on to the end. A fence with a language inside an open block of Python starts a new block:
    a model that forgot the closing one is commoner than Markdown within Python."""
    blocks: list[Block] = []
    mark, info, heading, lines = "", "", "", list[str]()
    before = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if not mark:
            if found:
                mark, info, heading, lines = found["mark"], found["info"].strip(), before, []
            elif line.strip():
                before = line
        elif found and found["mark"][0] == mark[0] and len(found["mark"]) >= len(mark) and not found["info"].strip():
            blocks.append(_block(info, heading, lines, closed=True))
            mark, before = "", ""
        elif found and _is_python(found["info"]) and _is_python(info):
            blocks.append(_block(info, heading, lines, closed=False))
            mark, info, heading, lines = found["mark"], found["info"].strip(), "", []
        else:
            lines.append(line)
    if mark:
        blocks.append(_block(info, heading, lines, closed=False))
    return blocks


def _is_python(info: str) -> bool:
    return info.strip().lower().startswith(("python", "py", "ipython"))


def _block(info: str, heading: str, lines: list[str], *, closed: bool) -> Block:
    text = textwrap.dedent("\n".join(lines)).strip("\n")
    language = re.split(r"[\s:{,]", info, maxsplit=1)[0].lower()
    first = text.partition("\n")[0]
    comment = first if first.startswith("#") and not first.startswith("#!") and len(first) < 80 else ""
    named = (info, heading if len(heading) <= _HEADING else "", comment)
    path = next((match["path"] for part in named if (match := _NAME.search(part))), "")
    return Block("" if "." in language else language, path, text, closed)
