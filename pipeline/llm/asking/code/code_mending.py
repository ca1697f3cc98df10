"""Code as Python reads it: what chats, notebooks and web pages do to a program's characters is undone.

A program that parses stays as it is. Each mend is kept only where the program parses in the end; notebook commands and
blanks of other kinds are mended in one that has a syntax error besides, too.
"""

from __future__ import annotations

import html
import re
import textwrap

from pipeline.analysis.parsing import parsed

_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*)(?=[!%][\w%!./]|(?:pip3?|conda) install |\?{1,2}[\w.]+[ \t]*$|[\w.]{1,80}\?{1,2}[ \t]*$)",
    re.MULTILINE,
)
_MAGIC_VALUE = re.compile(r"^(?P<indent>[ \t]*)(?=\w[\w.\[\], ]{0,80}?=[ \t]*[!%][\w./])", re.MULTILINE)
"""`files = !ls`, `seconds = %timeit -o f()`."""

_BLANKS = {
    ord(blank): " " for blank in "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
}
_BLANKS |= {ord(blank): " " for blank in "\u202f\u205f\u3000"}
_BLANKS |= {ord(line_break): "\n" for line_break in "\u0085\u2028\u2029"}
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"))
_TYPOGRAPHIC = str.maketrans("“”„‟‘’‚‛（），：；＝［］｛｝−–′″", "\"\"\"\"''''(),:;=[]{}--'\"")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,5}|#x[0-9a-fA-F]{1,4});|<br ?/?>")
_LINE_BREAK = re.compile(r"<br ?/?>\n?")
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d{0,4}\]:)(?: |$)")
_NUMBERED = re.compile(r"^[ \t]*\d{1,5}(?:[ \t]?[:.|│)]|(?=[ \t])|$)")
_ADDED = re.compile(r"^\+(?!\+\+ )|^ ")
_NOT_ADDED = re.compile(r"^(?:-|@@ |\+\+\+ |diff --git |index [0-9a-f]+\.\.)")
_MARKUP = re.compile(
    r"\s*(?:(?:</?[A-Za-z!|｜][^<>\n]{0,200}>|<!\[CDATA\[|\]\]>)+|\[/?[A-Z]{3,12}\]|\\(?:begin|end)\{\w{1,20}\*?\}.{0,120}"
    r"|[-=_*~]{3,}+(?:[ \w./-]{0,60}[-=_*~]{3,}+)?|\|.*\||(?:BEGIN|END)[ _](?:OF[ _])?CODE)\s*"
)

_LONGEST = 200_000
"""Characters of the longest code that is mended: it is parsed after each mend, and no project is as long."""


def mended(code: str) -> str:
    """The code, mended where Python does not take it as it is."""
    code = code.lstrip("\ufeff")
    if len(code) > _LONGEST or not code.strip() or parsed(code) is not None:
        return code
    plain = _invisible_gone(without_magics(_without_wrapping(code.translate(_BLANKS))))
    if parsed(plain) is not None:
        return plain
    best = plain
    for mend in (_without_entities, _straight_quotes, _without_prompts, _without_numbers, _as_patched, _without_tabs):
        best = mend(best)
        if parsed(best) is not None:
            return best
        typed = without_magics(best)
        if typed != best and parsed(typed) is not None:
            return typed
    return plain


def without_magics(code: str) -> str:
    """Notebook commands (`!pip install`, `%matplotlib inline`, `files = !ls`) as comments; a program that parses stays
    as it is."""
    if parsed(code) is not None:
        return code
    return _MAGIC_VALUE.sub(_commented, _MAGIC.sub(_commented, code))


def _commented(match: re.Match[str]) -> str:
    """A comment; within a block, which may have no other statement, one behind `pass`."""
    indent = match["indent"]
    return f"{indent}pass  # " if indent.strip("\n") else f"{indent}# "


def is_markup(line: str) -> bool:
    """Whether a line is a tag, an environment of LaTeX, a rule or a row of a table: what stands around code."""
    return _MARKUP.fullmatch(line) is not None


def _without_wrapping(code: str) -> str:
    """The code without the markup before its first line and behind its last."""
    lines = code.strip("\n").split("\n")
    first, last = 0, len(lines)
    while first < last and (is_markup(lines[first]) or not lines[first].strip()):
        first += 1
    while last > first and (is_markup(lines[last - 1]) or not lines[last - 1].strip()):
        last -= 1
    return "\n".join(lines[first:last]) + "\n" if (first, last) != (0, len(lines)) else code


def _without_tabs(code: str) -> str:
    return code.expandtabs(4)


def _invisible_gone(code: str) -> str:
    return code.translate(_INVISIBLE)


def _without_entities(code: str) -> str:
    return html.unescape(_LINE_BREAK.sub("\n", code)).translate(_BLANKS) if _ENTITY.search(code) else code


def _straight_quotes(code: str) -> str:
    return code.translate(_TYPOGRAPHIC)


def _without_prompts(code: str) -> str:
    """What was typed in a session of Python, without what it printed."""
    lines = code.split("\n")
    if not any(_PROMPT.match(line) for line in lines):
        return code
    return "\n".join(_PROMPT.sub("", line, count=1) for line in lines if _PROMPT.match(line))


def _without_numbers(code: str) -> str:
    """The lines without their numbers, where all of them have one."""
    lines = code.split("\n")
    if not all(_NUMBERED.match(line) for line in lines if line.strip()):
        return code
    return textwrap.dedent("\n".join(_NUMBERED.sub("", line, count=1) for line in lines))


def _as_patched(code: str) -> str:
    """The new text of a patch."""
    lines = code.split("\n")
    if not any(line.startswith("+") for line in lines):
        return code
    return "\n".join(_ADDED.sub("", line, count=1) for line in lines if not _NOT_ADDED.match(line))
