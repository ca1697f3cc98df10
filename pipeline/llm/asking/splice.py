"""Putting a reply that was cut off together with what the model wrote when it was asked to go on.

Told to go on, models go on, repeat what they wrote last, start over, or repeat what they were told. Two pieces are only
joined where the repetition or Python itself shows that they belong together.
"""

from __future__ import annotations

import ast
import codeop
import keyword
import re
import warnings

from pipeline.analysis.parsing import LONGEST
from pipeline.llm.asking.code.fences import fenced_blocks
from pipeline.llm.asking.code.unfenced import OPENS, is_prose, longest_whole
from pipeline.llm.asking.thinking import answer_in

LONGEST_OVERLAP = 4_000
"""Characters: a model that repeats more than that has started over."""

_SHORTEST_OVERLAP = 8
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_OPENING = re.compile(r"\A\s*+(?P<before>[^\n]{0,200}\n\s*+)?(?:```|~~~)(?P<language>[\w+-]*+)[ \t]*+\n")
_BEGINS_A_PROGRAM = re.compile(r"import |from [\w.]+ import |\"\"\"|'''|#!")
_BEGINS_A_LINE = re.compile(r"import |from [\w.]+ import |def |class |@\w|#|```|~~~")
_PLACEHOLDER = re.compile(r"<<\s*([A-Za-z_]\w*?)\s*>>")
_WORD_BEFORE, _WORD_BEHIND = re.compile(r"\w\Z"), re.compile(r"\w")


def splice(begun: str, more: str, *, cut: bool = False, goes_on: bool = False) -> str:
    """The text so far with its continuation, which may be `cut` off as well; the text so far where they do not fit.

    A fence that was opened again and what was repeated are left out. A continuation that starts over takes the place of
    the text so far where it gets further. Where the server itself `goes_on` with the text, that is the proof that they
    belong together.
    """
    if goes_on:
        return begun + more
    more = answer_in(more)
    if not more.strip():
        return begun
    if _starts_over(begun, more):
        return more if _whole_lines(more) >= _whole_lines(begun) else begun
    opening = _OPENING.match(more)
    if opening and (_open_fence(begun) or not _FENCE.search(begun)) and not _closes(opening, begun, more):
        more = more[opening.end() :]
    for length in range(min(len(begun), len(more), LONGEST_OVERLAP), _SHORTEST_OVERLAP - 1, -1):
        if begun.endswith(more[:length]):
            return begun + more[length:]
    cut_line = begun.rpartition("\n")[2]
    if cut_line.strip() and _starts_line_over(cut_line, more):
        return begun[: len(begun) - len(cut_line)] + more
    return _joined(begun, more, cut_line, cut)


def _joined(begun: str, more: str, cut_line: str, cut: bool) -> str:
    """The two in the first way that Python can read; prose as it comes, with a blank between words."""
    direct, on_new_line = begun + more, f"{begun}\n{more.lstrip(chr(10))}"
    in_a_word = bool(_WORD_BEFORE.search(begun) and _WORD_BEHIND.match(more))
    ways = [direct, on_new_line, begun[: len(begun) - len(cut_line)] + more.lstrip("\n")]
    if in_a_word and _BEGINS_A_LINE.match(more):
        ways = [on_new_line, ways[2], direct]
    if in_a_word and keyword.iskeyword(cut_line.strip()):  # "import" and "keras": models leave the blank out
        ways = [f"{begun} {more}", *ways]
    if not _code_in(ways[0]):
        return direct if not in_a_word or more[0].islower() else f"{begun} {more}"
    for way in ways:
        # Of a continuation that was cut off in its first line there is no whole line to judge by.
        if _reads(_code_in(way), cut=cut, last_line="\n" not in more.strip("\n")):
            return way
    # Where the text so far has an error of its own, Python cannot tell; then only what cannot split a word is joined.
    if in_a_word or _reads(_code_in(begun), cut=True):
        return begun
    return direct


def _closes(opening: re.Match[str], begun: str, more: str) -> bool:
    """Whether what looks like a fence that opens, a line below the beginning, closes the one that is open."""
    before = opening["before"] or ""
    is_code = bool(before.strip()) and not is_prose(before.strip())
    return is_code and not opening["language"] and _open_fence(begun) and _open_fence(more)


def _starts_over(begun: str, more: str) -> bool:
    """Whether a continuation begins the program anew: by its first lines, or by imports where it had got further."""
    first, again = _lines(_code_in(begun)), _lines(_code_in(more))
    if not first or not again:
        return False
    shared = min(2, len(first))
    if len(first[0]) > 2 and again[:shared] == first[:shared] and len(first) > 1:
        return True
    if not _BEGINS_A_PROGRAM.match(again[0]) or not any(_BEGINS_A_PROGRAM.match(line) for line in first[:5]):
        return False
    return len(first) > 2 and not any(_BEGINS_A_PROGRAM.match(line) for line in first[-2:])


def _starts_line_over(cut_line: str, more: str) -> bool:
    """Whether the continuation writes the line that was cut once more, from its beginning."""
    line = more.partition("\n")[0]
    return len(cut_line.strip()) > 2 and line.strip().startswith(cut_line.strip())


def _code_in(text: str) -> str:
    """The longest fenced block of a text, or what follows the first line that opens like code; "" without either."""
    text = _PLACEHOLDER.sub(r"\1", text)
    blocks = [block.text for block in fenced_blocks(text)]
    if blocks:
        return max(blocks, key=len)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if OPENS.match(line):
            return "\n".join(lines[number:])
    return ""


def _reads(code: str, *, cut: bool, last_line: bool = False) -> bool:
    """Whether Python reads a program; of one that was cut off, whether it reads it so far, but for the last line."""
    if cut and not last_line:
        code = code.rpartition("\n")[0]
    if len(code) > LONGEST:
        return False
    flags = ast.PyCF_ONLY_AST
    if cut:
        flags |= codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]  # the stubs lack it
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(code + "\n", "reply", "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        return cut and "incomplete input" in str(error)
    except (ValueError, RecursionError, MemoryError):
        return False
    return True


def _whole_lines(text: str) -> int:
    return len(_lines(longest_whole(_code_in(text))))


def _lines(code: str) -> list[str]:
    return [line for line in code.split("\n") if line.strip()]


def _open_fence(text: str) -> bool:
    return len(_FENCE.findall(text)) % 2 == 1
