"""Columns known by their names: users and items, questions, identifiers, dates; what is a category, what a number."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ROLES = {
    "user_column": (
        r"user|customer|client|member|reader|viewer|listener|visitor|session|account|player|student|buyer|guest"
    ),
    "item_column": (
        r"item|movie|film|product|book|song|track|article|game|recipe|course|artist|restaurant|anime|sku|isbn|asin"
    ),
    "question_column": r"question|query",
    "context_column": r"context|passage|paragraph|document",
    "sentence_column": r"sentence|sent",
    "tokens_column": r"tokens?|words?",
    "file_column": r"filename|file|filepath|path|image|img|photo|picture|audio|clip|wav",
}
"""Facts about one column each, and the words in its name; the first column that has one counts."""

_TEXT = (
    "text review body title comment message summary description sentence tweet headline content question answer "
    "abstract plot lyrics post subject caption article email transcript query passage document statement news "
    "story"
)
_DATE = "date day time timestamp datetime month year week"
_ID = "id uuid guid index key"
_CATEGORY = (
    "gender sex type category contract brand colour color city country state region status department occupation "
    "education marital smoker cabin embarked class group kind species genre zipcode zip postcode material shape "
    "season weekday plan payment method job segment store product payer fuel transmission model make housing "
    "purpose neighbourhood neighborhood holiday"
)
_NUMBER = (
    "sqft area size age price amount income salary balance count number num qty quantity rating score temp "
    "temperature humidity pressure speed weight height width length depth distance duration lat lon latitude "
    "longitude bedrooms bathrooms rooms floors year tenure charges mileage power voltage current hours minutes "
    "seconds days km miles volume rate ratio percent total cost fare bmi glucose insulin alcohol ph sugar acid "
    "density sulphates sulfates chlorides load wind rain radiation horsepower acceleration cylinders displacement "
    "level calls visits clicks sales revenue profit tax budget population dose concentration radius perimeter "
    "texture concavity smoothness children dependents experience flow energy"
)
_TEXT_WORDS, _DATE_WORDS, _ID_WORDS = frozenset(_TEXT.split()), frozenset(_DATE.split()), frozenset(_ID.split())
_CATEGORY_WORDS, _NUMBER_WORDS = frozenset(_CATEGORY.split()), frozenset(_NUMBER.split())

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMBERED = re.compile(r"[A-Za-z]{1,3}_?\d+")
"""V1, x_12: one of many numbers."""


def words_of(name: str) -> list[str]:
    """The words of a column's name, in lower case: "userId" is user and id."""
    return [word.lower() for word in _WORD.findall(name)]


def role_facts(names: Sequence[str]) -> dict[str, str]:
    """The facts of `_ROLES` that the names of a table's columns settle."""
    facts: dict[str, str] = {}
    for fact, pattern in _ROLES.items():
        for name in names:
            if any(
                re.fullmatch(pattern, word.removesuffix("s")) or re.fullmatch(pattern, word) for word in words_of(name)
            ):
                facts[fact] = name
                break
    return facts


def is_text(name: str) -> bool:
    """Whether a column of this name holds sentences."""
    return bool(_TEXT_WORDS.intersection(words_of(name)))


def is_title(name: str) -> bool:
    """Whether a text of this name stands above another one: "title" beside "body"."""
    return bool({"title", "subject", "headline"}.intersection(words_of(name)))


def is_date(name: str) -> bool:
    """Whether a column of this name is the time of a row."""
    words = words_of(name)
    return bool(words) and words[-1] in _DATE_WORDS - {"year"} and not _NUMBER_WORDS.intersection(words[:-1])


def is_id(name: str) -> bool:
    """Whether a column of this name tells rows apart and says nothing of them."""
    words = words_of(name)
    return bool(words) and words[-1] in _ID_WORDS


def kind_of(name: str) -> str:
    """`number` or `category`; "" for a name that says neither."""
    words = words_of(name)
    if _CATEGORY_WORDS.intersection(words):
        return "category"
    plural = {word.removesuffix("s") for word in words}
    if _NUMBER_WORDS.intersection(words) or _NUMBER_WORDS.intersection(plural) or _NUMBERED.fullmatch(name):
        return "number"
    return ""
