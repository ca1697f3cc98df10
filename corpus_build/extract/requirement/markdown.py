"""Markdown as plain words: its headings and its sentences.

Every function here is linear in its text. What is opened and never closed (a tag, a link, a fence) would cost a
backtracking expression the square of the text, so openings are found by an expression and their ends by `_Ends`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from corpus_build.extract.requirement.languages import word_count

LONGEST_TITLE = 1000
"""Characters of a heading within which scores and the like are looked for."""

_HEADING_START = re.compile(r"^\s{0,3}#{1,6}", re.MULTILINE)
_SETEXT = re.compile(r"^(\S.*)\n[=-]{3,}\s*$", re.MULTILINE)
_HTML_HEADING_START = re.compile(r"<h[1-4]", re.IGNORECASE)
_HTML_HEADING_END = re.compile(r"</h[1-4]>", re.IGNORECASE)
_BLANKS = re.compile(r"\s*")
_HASHES = re.compile(r"#*")

# What starts with `tag` or `image` is noise only where it has an end. `blank` is none: blanks that begin a line are
# passed over together, or each of many blank lines would look for the end of all of them.
_NOISE = re.compile(
    r"(?P<tag><)|(?P<image>!\[)|`{3}.*?`{3}|https?://\S+|[*_`~]{1,3}|^\s*+[>|].*$|\$\$.*?\$\$|&\w+;|"
    r"^\s*+[-=]{3,}\s*$|(?P<blank>^\s++)",
    re.DOTALL | re.MULTILINE,
)
_LONG_REFERENCE = re.compile(r"&#\d{100,};?")
_LONG_BLANK = re.compile(r"\s{2,}")
_EMOJI = re.compile(r"[^\w\s.,;:!?'\"()/%&+#-]+")
# Behind a full stop a capital or a number begins a sentence, in scripts without capitals any letter; Chinese, Japanese
# and Hindi have full stops of their own.
_SENTENCE = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z\d\u00c0-\u00de\u0400-\u042f\u0590-\uffff])|(?<=[\u3002\uff01\uff1f])\s*|(?<=[\u0964\u06d4\u061f])\s+|"
    r"\n{2,}|\n(?=\s*[-*\d])"
)
# That a bracket is closed is looked for first: in one that is not, every number would be tried.
_BOAST = re.compile(
    r"\s*[\[(](?=[^\])]*[\])])[^\])]*\b(lb|cv|score|acc(uracy)?|auc|top|\d*\.\d+|\d+(\.\d+)?\s*%)[^\])]*[\])]"
    r"|\s*[-|:+,]?\s*\b(EDA\b.*|lb:?\s*[\d.]+)$"
    r"|\s?[-|:+,(~]?\s?\b(lb|cv|score|acc(uracy)?|auc|f1|rmse|mae|top)\b\s?(score|of|is)?\s?[:=~>@+-]?\s?\d{0,4}[.,]?\d{1,6}\s?%?\)?"
    r"|\s?[-|:+,(~]?\s?\d{0,4}[.,]?\d{1,6}\s?%?\s?\b(lb|cv|acc(uracy)?|auc|f1)\b\)?",
    re.IGNORECASE,
)
"""What a title says of scores and of the usual look at the data, not of the task."""


class _Span(NamedTuple):
    """A part of a text that stands for another: from `start` to before `end`, with what is said inside it."""

    start: int
    end: int
    inside: str


def headings(text: str) -> Iterator[str]:
    """The titles of a text's headings: those in HTML, those behind `#`, those underlined; each kind in its order."""
    for span in (*_html_headings(text), *_hash_headings(text)):
        yield title_of(span.inside)
    for match in _SETEXT.finditer(text):
        yield title_of(match[1])


def sentences(text: str) -> Iterator[str]:
    """The pieces of a text's prose, tidied: sentences, and what blank lines and items of lists divide. Headings, code,
    tables and pictures are left out."""
    prose = _SETEXT.sub("\n", text)
    prose = _replaced(prose, _hash_headings(prose), "\n")
    prose = _replaced(prose, _html_headings(prose), "\n\n")
    prose = _LONG_BLANK.sub(_short_blank, _without_marks(prose))
    for piece in _SENTENCE.split(prose):
        yield tidy(piece)


def title_of(text: str) -> str:
    """A title without scores and the like; as it is where nothing else would be left."""
    if len(text) > LONGEST_TITLE:
        return tidy(text)
    # Before brackets go with the other marks, and once more for what stood in none.
    short = _BOAST.sub("", tidy(_BOAST.sub("", " ".join(text.split())))).strip(" -:#|.+")
    if word_count(short) < 2:
        return tidy(text)
    return short


def tidy(text: str) -> str:
    """Markdown as a line of plain words."""
    return " ".join(_EMOJI.sub(_letters_among, _without_marks(text)).split()).strip(" -:#|.")


def _letters_among(marks: re.Match[str]) -> str:
    """A blank for marks and emoji, but not for what belongs to letters (vowel signs, accents) and for punctuation of
    other languages."""
    if marks[0].isascii():
        return " "
    kept: list[str] = []
    for character in marks[0]:
        category = unicodedata.category(character)
        is_part = category in ("Mn", "Mc") and character not in _VARIATIONS
        is_part |= category in ("Po", "Pi", "Pf", "Pd") and not character.isascii()
        kept.append(character if is_part else " ")
    return "".join(kept)


_VARIATIONS = "\ufe0e\ufe0f\u20e3"
"""Marks that make an emoji of a sign."""


def _without_marks(text: str) -> str:
    """The text with what links say in their place, and blanks for tags, code, addresses and other marks."""
    # A number of many digits takes Python long to read, or is refused; it names no character.
    text = html.unescape(_LONG_REFERENCE.sub("\ufffd", text))
    return _replaced_noise(_replaced_links(text))


def _short_blank(blank: re.Match[str]) -> str:
    """The least that divides sentences as the blanks do."""
    if "\n\n" in blank[0]:
        return "\n\n"
    return "\n" if "\n" in blank[0] else " "


class _Ends:
    """Finds the next of some marks in a text. Asked about positions in order, it reads the text once for each mark."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: dict[str, int] = {}

    def after(self, mark: str, position: int) -> int:
        """Where the mark stands first, from `position` on; the length of the text where it does not."""
        known = self._next.get(mark, -1)
        if known < position:
            known = self._text.find(mark, position)
            self._next[mark] = known = len(self._text) if known == -1 else known
        return known


def _bracketed(text: str, ends: _Ends, start: int) -> tuple[int, int] | None:
    """Of `LABEL](ADDRESS)`, which begins at `start`, where the label ends and where all of it does."""
    label_end = ends.after("]", start)
    if not text.startswith("](", label_end):
        return None
    address_end = ends.after(")", label_end + 2)
    return None if address_end == len(text) else (label_end, address_end + 1)


def _replaced_links(text: str) -> str:
    """Links give way to their labels."""
    ends, spans = _Ends(text), []
    start = text.find("[")
    while start != -1:
        link = _bracketed(text, ends, start + 1)
        if link and start and text[start - 1] == "!":  # a picture, which says nothing
            spans.append(_Span(start - 1, link[1], ""))
        elif link:
            label_end, end = link
            spans.append(_Span(start, end, text[start + 1 : label_end]))
        start = text.find("[", link[1] if link else start + 1)
    return _replaced(text, spans)


def _replaced_noise(text: str) -> str:
    """A blank for everything that says nothing."""
    return _replaced(text, _noise(text), " ")


def _noise(text: str) -> Iterator[_Span]:
    ends, position = _Ends(text), 0
    while match := _NOISE.search(text, position):
        start, position = match.span()
        if match.lastgroup == "blank":
            continue
        if match.lastgroup == "tag":
            end = ends.after(">", position)
            if end in (position, len(text)):  # `<>`, or no end
                continue
            position = end + 1
        elif match.lastgroup == "image":
            image = _bracketed(text, ends, position)
            if image is None:
                position = start + 1
                continue
            position = image[1]
        yield _Span(start, position, "")


def _html_headings(text: str) -> Iterator[_Span]:
    position = 0
    while start := _HTML_HEADING_START.search(text, position):
        tag_end = text.find(">", start.end())
        end = _HTML_HEADING_END.search(text, tag_end + 1) if tag_end != -1 else None
        if end is None:  # then no later one has an end either
            return
        yield _Span(start.start(), end.end(), text[tag_end + 1 : end.start()])
        position = end.end()


def _hash_headings(text: str) -> Iterator[_Span]:
    """Lines behind `#`, with the blanks around them and the `#` that may close them."""
    position = 0
    while hashes := _HEADING_START.search(text, position):
        start = _end_of(_BLANKS, text, hashes.end())
        if start == len(text):
            return
        line_end = text.find("\n", start)
        rest = text[start + 1 : line_end if line_end != -1 else len(text)]
        title = text[start] + rest.rstrip().rstrip("#").rstrip()
        position = _heading_end(text, start + len(title))
        yield _Span(hashes.start(), position, title)


def _heading_end(text: str, position: int) -> int:
    """The end of the last line, from the end of a title on, that has nothing but blanks and one run of `#`."""
    blanks_end = _end_of(_BLANKS, text, position)
    hashes_end = _end_of(_HASHES, text, blanks_end)
    end = _end_of(_BLANKS, text, hashes_end)
    if end == len(text):
        return end
    line_end = text.rfind("\n", hashes_end, end)
    return line_end if line_end != -1 else text.rfind("\n", position, blanks_end)


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where the pattern, which also matches nothing, ends at this position."""
    match = pattern.match(text, position)
    return match.end() if match else position


def _replaced(text: str, spans: Iterable[_Span], by: str | None = None) -> str:
    """The text with each span replaced: by `by`, or by what it says inside."""
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], span.inside if by is None else by]
        position = span.end
    return "".join([*parts, text[position:]])
