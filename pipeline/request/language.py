"""The language a request is written in, by its letters and its small words.

The rules of `pipeline.request.reading` know English. Of other languages they read numbers, names, loan words and the
commonest terms, and the caller warns. Requests are short and full of English terms ("CNN", "batch size"), so the small
words decide: articles, prepositions, pronouns. With fewer than two of them a text of Latin letters counts as English.
"""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "de", "es", "fr", "pt", "it", "nl", "zh", "ja", "ko", "ru", "other"]

LANGUAGES: dict[str, str] = {
    "en": "English",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
    "other": "another language than English",
}
"""Their names in English."""

_SMALL_WORDS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "the a an of and to for with in on is are that this it be from by as at my our we i want please using use "
        "which or not into each per have has should can will you me".split()
    ),
    "de": frozenset(
        "der die das und mit für ein eine einen einem einer ich nicht auf aus von zu den dem des im ist sind wir soll "
        "möchte bitte auch oder als bei nach über zum zur werden kein keine ohne am brauche".split()
    ),
    "es": frozenset(
        "el la los las una un con para de del y en que por quiero necesito se sin es sus mi más como entre usando cada "
        "al lo muy también".split()
    ),
    "fr": frozenset(
        "le la les des du un une avec pour et en est que sur dans je veux à au aux par sans mon ma mes nous il ou ce "
        "cette chaque entre qui sont".split()
    ),
    "pt": frozenset(
        "o os as um uma com para de da do das dos e em que por quero preciso sem não meu minha no na nas nos são mais "
        "entre usando cada também ao".split()
    ),
    "it": frozenset(
        "il lo gli le un una con per di del della dei delle e in che voglio vorrei senza non mio mia nel nella sono da "
        "alla ogni anche tra".split()
    ),
    "nl": frozenset(
        "de het een van en met voor ik wil niet op uit in is zijn wij onze graag ook of bij naar elke geen zonder aan "
        "dat die".split()
    ),
}
_LETTERS: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("ja", re.compile("[\u3040-\u30ff]")),  # kana before ideograms, which Japanese has too
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("other", re.compile("[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0fff\u0370-\u03ff]")),  # Hebrew to Tibetan; Greek
)
_LATIN = re.compile("[a-zà-ÿ]+")
_LEAST_SHARE = 0.15
"""Share of a text's letters that another script has to have: one Greek letter makes no text Greek."""


def language_of(text: str) -> Language:
    """The language of a text; "en" where nothing tells another."""
    text = text[:20_000].lower()
    letters = sum(char.isalpha() for char in text)
    for language, pattern in _LETTERS:
        # An ideogram says about as much as three Latin letters.
        weight = 3 if language in ("zh", "ja", "ko") else 1
        if letters and weight * len(pattern.findall(text)) >= _LEAST_SHARE * letters:
            return language
    words = _LATIN.findall(text)
    counts = {language: sum(word in small for word in words) for language, small in _SMALL_WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > max(counts["en"], 1) else "en"
