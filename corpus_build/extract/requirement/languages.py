"""The language a text is written in, and how many words it has where words are not divided by blanks.

Scripts tell most languages; those that share one are told by their commonest words. No library of the project knows
languages; one that does would replace the tables here.
"""

from __future__ import annotations

import re
from collections import Counter

_SCRIPTS = (
    ("ja", "\u3040-\u30ff"),
    ("ko", "\uac00-\ud7af\u1100-\u11ff"),
    ("zh", "\u4e00-\u9fff\u3400-\u4dbf"),
    ("th", "\u0e00-\u0e7f"),
    ("hi", "\u0900-\u097f"),
    ("bn", "\u0980-\u09ff"),
    ("ta", "\u0b80-\u0bff"),
    ("te", "\u0c00-\u0c7f"),
    ("he", "\u0590-\u05ff"),
    ("ar", "\u0600-\u06ff"),
    ("el", "\u0370-\u03ff"),
    ("ru", "\u0400-\u04ff"),
)
"""Languages by the script that shows them. Japanese stands before Chinese, whose characters it has as well."""
_OF_SCRIPT = tuple((language, re.compile(f"[{letters}]")) for language, letters in _SCRIPTS)
_WORDS = {
    "en": "the of and to is in for with that this we are from by on as it be an or can using",
    "de": "der die das und ist zu von mit den aus ein eine für wird auf es nicht im dem sich",
    "es": "el la los las de que y en un una para con es del por se como al lo más",
    "fr": "le la les des et est de du un une pour dans que qui à sur avec par nous ce",
    "pt": "o a os as de que e em um uma para com é do da não por mais dos como",
    "it": "il la le di che e in un una per con è del della non si i gli da come",
    "nl": "de het een en van is dat in op te met voor zijn niet aan er door om we uit",
    "tr": "ve bir bu için ile olarak de da olan en çok veri daha gibi her olduğu ne",
    "vi": "là và của các một cho trong được với từ có này những để không bằng người khi",
    "id": "yang dan di untuk dengan dari ini adalah pada akan dalam kita sebuah ke data",
    "pl": "i w na z do jest się nie to że jak dla od przez po są oraz ze",
    "sv": "och att en är som av för med på det den till i inte har från ett vi",
}
_COMMON = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_LETTERS = re.compile(r"[^\W\d_]+")
_UNDIVIDED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]+")
_LETTERS_PER_WORD = 2
"""Characters of a script without blanks that make about a word."""
_MOST_READ = 5_000
_LEAST_SHARE = 0.2
"""Of the letters: below it a script is a name or a quotation in a text of another."""
_LATIN_MARKS = {"vi": re.compile(r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")}


def language_of(text: str) -> str:
    """The language, as ISO 639-1 abbreviates it; "" where nothing tells."""
    text = text[:_MOST_READ].lower()
    letters = sum(map(len, _LETTERS.findall(text)))
    if not letters:
        return ""
    for language, script in _OF_SCRIPT:
        if len(script.findall(text)) >= _LEAST_SHARE * letters:
            return language
    for language, marks in _LATIN_MARKS.items():
        if len(marks.findall(text)) >= _LEAST_SHARE * letters / 2:
            return language
    words = Counter(_LETTERS.findall(text))
    shares = {language: sum(words[word] for word in common) for language, common in _COMMON.items()}
    best = max(shares, key=lambda language: shares[language])
    if shares[best]:
        return best
    return "en" if text.isascii() else ""


def word_count(text: str) -> int:
    """Words of the text: what blanks divide, and in scripts without blanks every two characters."""
    undivided = _UNDIVIDED.findall(text)
    if not undivided:
        return len(text.split())
    rest = _UNDIVIDED.sub(" ", text)
    divided = [word for word in rest.split() if any(map(str.isalnum, word))]
    return len(divided) + sum(-(-len(run) // _LETTERS_PER_WORD) for run in undivided)
