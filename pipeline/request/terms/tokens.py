"""Words, numbers and marks of a text, with their places. Every reader of requests works on these.

Numbers are read here, once: thousands ("1,800", "8 000", "40k", "2.5M"), shares ("20 %"), powers ("1e-4", "10^-4",
"2e−5"), decimal commas ("0,0005") and words ("twenty-five", "two hundred and fifty", "a dozen").
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pipeline.plan.dataset_facts import NUMBER_WORDS
from pipeline.request.terms.typos import mended

JOINERS = frozenset("-‐‑–_'’`")
"""What may stand between the words of one term: "early-stopping", "early_stopping"."""

_IDEOGRAMS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Kana and ideograms: scripts without blanks, where each letter is a token of its own."""

_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962-\u0963\u0e31-\u0e4e"
"""Signs that join the letter before them: accents, and the vowels of Devanagari, Arabic and Thai."""

# Every repetition is bounded or over one class of characters: the time is linear for any text.
_TOKEN = re.compile(
    rf"""
    (?P<word> [^\W\d_{_IDEOGRAMS}]++(?:[{_MARKS}]++[^\W\d_{_IDEOGRAMS}]*+)*+ )
    | (?P<number> (?=[\d.])
        (?: \d{{1,3}}(?:,\d{{3}}){{0,3}},000(?!\d)     # 1,200,000
          | \d{{1,3}},\d{{3}}(?![\d.]|,\d)             # 1,800
          | \d{{1,3}}(?:[ ]\d{{3}})?[ ]000(?!\d)       # 8 000
          | \d{{1,3}}[\u00a0\u202f']\d{{3}}(?!\d)      # 16 000 with a narrow blank
          | [1-9]\d{{0,2}}\.000(?!\d|\.)             # 5.000, as on the continent
          | 0,\d+                                      # 0,0005
          | 10(?:\^|\*\*)[-−–]?\d{{1,3}}               # 10^-4
          | \d+(?:\.\d+)?(?:[eE][-+−–]?\d{{1,3}}(?!\w))?
          | (?<![\w.])\.\d+
        )
        (?: [kKM](?![^\W_]) | [ ](?:thousand|million|tausend)\b | [ ]?[kK](?=[hH]z) | [ ]?%
          | [ ](?:per[ ]?cent|prozent|por[ ]ciento|pour[ ]cent|por[ ]cento)\b )?
    )
    | (?P<letter> [{_IDEOGRAMS}] )
    | (?P<mark> [^\s\w] | _ )
    | (?P<other> \w )
    """,
    re.VERBOSE,
)

_LONGEST_NUMBER = 36
"""Longer runs of digits are no numbers that anybody counts in."""

_LONGEST_WORD = 30
"""Longer runs of letters are no words."""

_SPELLINGS = (
    ("colour", "color"),
    ("grey", "gray"),
    ("tumour", "tumor"),
    ("centre", "center"),
    ("neighbour", "neighbor"),
)
_BRITISH = re.compile(r"is(e|es|ed|er|ers|ing|ation)$")


_FULL_WIDTH = {"（": "(", "）": ")", "：": ":", "，": ",", "；": ";", "／": "/"}
"""Marks as Chinese and Japanese write them."""


class Token(NamedTuple):
    """A word, a number or a mark."""

    text: str
    key: str
    """Lower case, in American spelling: what tables are searched by."""
    start: int
    end: int
    kind: str
    """`word`, `number`, `letter` (of a script without blanks) or `mark`."""
    number: float | None
    """The value of a number; a share of 20 % is 0.2."""
    share: bool
    """Written with a percent sign."""

    def touches(self, earlier: Token) -> bool:
        return earlier.end == self.start


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text from left to right."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        word = match.group()
        start, end = match.span()
        if kind == "word":
            tokens.append(Token(word, word_key(word), start, end, kind, None, False))
        elif kind == "number":
            value, share = number_of(word)
            tokens.append(
                Token(word, word.lower(), start, end, "number" if value is not None else "mark", value, share)
            )
        elif kind == "other":
            tokens.append(Token(word, word, start, end, "mark", None, False))
        else:
            tokens.append(Token(word, _FULL_WIDTH.get(word, word), start, end, kind, None, False))
    return tokens


# Requests share most of their words.
@lru_cache(maxsize=16384)
def word_key(word: str) -> str:
    """Lower case, American, without slips: "Colourised" -> "colorized", "optimzer" -> "optimizer"."""
    key = word.lower()
    if len(key) > _LONGEST_WORD:
        return key
    if "가" <= key[0] <= "힣":
        return _without_particle(key)
    for british, american in _SPELLINGS:
        if british in key:
            key = key.replace(british, american)
    if len(key) > 5:
        key = _BRITISH.sub(r"iz\1", key)
    return mended(key)


_PARTICLES = tuple(
    "입니다 이에요 이고 이며 으로는 으로 에서 에는 까지 부터 하고 하는 해줘 하세요 "
    "합니다 을 를 은 는 이 가 의 에 로 와 과 도 만".split()
)
"""What Korean joins to a noun; the longer ones first."""


def _without_particle(word: str) -> str:
    """The stem of a Korean word, the same for each of its forms: 리뷰 of 리뷰를 and of 리뷰는."""
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= 2:
            return _without_particle(word.removesuffix(particle))
    return word


_LARGE = (("thousand", 1e3), ("tausend", 1e3), ("million", 1e6))


@lru_cache(maxsize=4096)
def number_of(word: str) -> tuple[float | None, bool]:
    """The value of a number as written, and whether it is a share."""
    if len(word) > _LONGEST_NUMBER:
        return None, False
    # A share in words ends in a letter that no number does: "10 percent".
    share = word.endswith(("%", "t", "o"))
    digits = word.partition(" per")[0].partition(" p")[0].rstrip("%").rstrip()
    factor = 1.0
    for name, value in _LARGE:
        if digits.endswith(name):
            digits, factor = digits.removesuffix(name).rstrip(), value
    if digits[-1] in "kKM":
        factor = 1e6 if digits[-1] == "M" else 1e3
        digits = digits[:-1]
    digits = digits.replace("−", "-").replace("–", "-").replace("\u00a0", "").replace("\u202f", "")
    digits = digits.replace(" ", "").replace("'", "")
    if digits.endswith(".000"):
        digits = digits.replace(".", "")
    if digits.startswith("0,"):
        digits = digits.replace(",", ".")
    digits = digits.replace(",", "")
    if "^" in digits or "**" in digits:
        value = float(f"1e{digits.lstrip('10').lstrip('^*')}")
    else:
        value = float(digits)
    value *= factor
    if share:
        value = round(value / 100, 10)
    return (value, share) if value < 1e15 else (None, share)


_OTHER_LANGUAGES = {
    word: value
    for words in (
        "zwei drei vier fünf sechs sieben acht neun zehn",
        "deux trois quatre cinq six sept huit neuf dix",
        "dos tres cuatro cinco seis siete ocho nueve diez",
        "dois três quatro cinco seis sete oito nove dez",
        "due tre quattro cinque sei sette otto nove dieci",
        "два три четыре пять шесть семь восемь девять десять",
        "две трёх четырёх пяти шести семи восьми девяти десяти",
    )
    for value, word in enumerate(words.split(), start=2)
}
"""The small numbers of requests that are not English."""

NUMBER_STARTS = frozenset(NUMBER_WORDS) | frozenset(_OTHER_LANGUAGES) | {"a"}
"""The words that a number in words begins with."""


def worded_number(tokens: list[Token], index: int) -> tuple[float, int] | None:
    """A number in words that begins at a token: its value, and the index after it. None where there is none."""
    part = _fraction(tokens, index)
    if part is not None:
        return part, index + 2
    if tokens[index].key not in NUMBER_WORDS:
        small = _OTHER_LANGUAGES.get(tokens[index].key)
        return None if small is None else (float(small), index + 1)
    total = 0
    current = 0
    end = index
    while end < len(tokens) and end - index < 12:
        key = tokens[end].key
        if key in ("-", "and"):
            # "twenty-five", "two hundred and fifty"; not "two and three"
            joins = end > index and end + 1 < len(tokens) and _can_follow(current, tokens[end + 1].key, key)
            if not joins:
                break
            end += 1
            continue
        if key == "thousand" and current:
            total, current = total + current * 1000, 0
        elif key == "million" and current:
            total, current = total + current * 1_000_000, 0
        elif key == "hundred":
            current = max(current, 1) * 100
        elif key in NUMBER_WORDS and key != "both" and (end == index or _can_follow(current, key, "")):
            current += NUMBER_WORDS[key]
        else:
            break
        end += 1
    if end == index:
        return None
    return float(total + current), end


_FRACTIONS = {"half": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5, "tenth": 10}


def _fraction(tokens: list[Token], index: int) -> float | None:
    """The value of "one half", "a quarter" or "two thirds"; None where none begins at a token."""
    parts = _FRACTIONS.get(tokens[index + 1].key) if index + 1 < len(tokens) else None
    count = 1 if tokens[index].key == "a" else NUMBER_WORDS.get(tokens[index].key)
    if parts is None or count is None or not 0 < count < parts:
        return None
    return round(count / parts, 4)


def _can_follow(current: int, key: str, joiner: str) -> bool:
    """Whether a number word goes on a number: units after tens, anything below a hundred after hundreds."""
    value = NUMBER_WORDS.get(key)
    if value is None or key in ("hundred", "dozen", "both"):
        return False
    if current and current % 100 == 0:
        return value < 100
    return joiner != "and" and current % 100 >= 20 and current % 10 == 0 and 0 < value < 10


def written(value: float, text: str = "") -> str:
    """A number as Python writes it: `224`, `0.0001`, `1e-05`; a number written with a point keeps it."""
    if value == int(value) and "." not in text:
        return str(int(value))
    return repr(value)
