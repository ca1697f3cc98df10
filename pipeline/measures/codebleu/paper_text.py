"""Code as the DLCodeGen paper compares it (Tables II and V, Fig. 5), rebuilt from a description of
its post-processing.

The paper scores a file that holds one solution a line, so line breaks and indentation become words
and everything stands between blanks. That changes CodeBLEU by up to ten points against the text as
it is, so the protocol is named beside every value: `raw` is the text as it is, `paper` is
`paper_text`. Where the description leaves a choice (odd indentation, which operators stay
together), the one nearest to all of Table II is taken. Its oddities are kept: a `#` inside a string
cuts the line, quotes pair without regard to escapes, one-line docstrings open a skipped region.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import black

from pipeline.measures.codebleu.code_features import MAX_CHARACTERS, MAX_DEPTH

_BLACK = black.Mode(line_length=210)
_INDENT = 4
_MOST_BRACKETS = 600
"""In a line: black takes a second for so many one behind another (`a(1)(2)(3)`), and four times that for twice."""

_BRACKET = re.compile(r"[()\[\]{}]")
_TOKEN = re.compile(r"(?P<string>\"[^\"]*\"|'[^']*')|(?P<float>(?<!\d)\d+\.\d+)|==|!=|<=|>=|[^\w\s]")


def paper_text(source: str) -> str:
    """The source on one line: comments and docstrings dropped, black's layout where black can parse
    it, NEW_LINE, INDENT and DEDENT as words, blanks around every character that is no letter, digit
    or underscore."""
    return spaced(one_line(laid_out(without_comments(source))))


def raw_text(source: str) -> str:
    """The source as it is."""
    return source


PROTOCOLS: Mapping[str, Callable[[str], str]] = {"raw": raw_text, "paper": paper_text}
"""What is done to candidate and reference alike before they are compared, by the
protocol's name."""


def without_comments(source: str) -> str:
    """Without fences, without what follows a `#`, and without the lines from one that starts with
    three double quotes to the next such line; an odd number of them drops the rest."""
    kept, skipping = [], False
    for line in source.split("\n"):
        start = line.lstrip()
        if start.startswith('"""'):
            skipping = not skipping
        elif not skipping and not start.startswith("```"):
            kept.append(line.partition("#")[0].rstrip())
    return "\n".join(kept)


def laid_out(source: str) -> str:
    """The source in black's layout with lines of up to 210 characters; as it is where black cannot
    parse it, and beyond the length and depth up to which CodeBLEU is measured: black takes minutes
    for thousands of brackets."""
    if len(source) > MAX_CHARACTERS or _bracket_depth(source) > MAX_DEPTH:
        return source
    if any(len(_BRACKET.findall(line)) > _MOST_BRACKETS for line in source.split("\n")):
        return source
    try:
        return black.format_str(source, mode=_BLACK)
    except Exception:  # black's parser raises its own, the tokenizer's, and RecursionError on what is not Python
        return source


def _bracket_depth(source: str) -> int:
    """How deep brackets are open at most, those in strings counted too."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(source):
        depth = depth + 1 if bracket in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def one_line(source: str) -> str:
    """Lines joined by NEW_LINE, blank ones dropped. The level moves in steps of four blanks, a word
    a step: it rises until it reaches a deeper line's blanks, falls until it reaches a shallower
    one's. So lines aligned at other widths (in files that black could not lay out) alternate. No
    DEDENT at the end."""
    text: list[str] = []
    level = 0  # blanks that the words so far stand for
    for line in source.expandtabs(_INDENT).split("\n"):
        content = line.strip()
        if not content:
            continue
        if text:
            text.append("NEW_LINE")
        blanks = len(line) - len(line.lstrip())
        if blanks > level:
            steps = -(-(blanks - level) // _INDENT)
            text += ["INDENT"] * steps
            level += steps * _INDENT
        elif blanks < level:
            steps = -(-(level - blanks) // _INDENT)
            text += ["DEDENT"] * steps
            level -= steps * _INDENT
        text.append(content)
    return " ".join(text)


def spaced(line: str) -> str:
    """Blanks around special characters. Strings, floats and comparison operators stay whole, blanks
    within a string become underscores; a string still touches what stands before it (`f"a b"` ->
    `f"a_b"`)."""
    return " ".join(_TOKEN.sub(_spaced_token, line).split())


def _spaced_token(token: re.Match[str]) -> str:
    if token["string"]:
        return token["string"].replace(" ", "_")
    return token["float"] or f" {token[0]} "
